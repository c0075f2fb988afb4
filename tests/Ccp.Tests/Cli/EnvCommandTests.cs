using System.CommandLine;
using System.Diagnostics;
using Ccp.Cli;
using Ccp.Tests.Configuration;
using Ccp.Tests.Store;

namespace Ccp.Tests.Cli;

public sealed class EnvCommandTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("it's $HOME `id` \"x\" \\ ; rm")]
    public async Task A_shell_reads_each_value_as_it_is(string value)
    {
        var lines = ShellLines.For("sh").Set("X", value) + "\n" + ShellLines.For("sh").Unset("Y");

        Assert.Equal($"[{value}][]", await ShAsync("sh", $"Y=1\n{lines}\nprintf '[%s][%s]' \"$X\" \"${{Y-}}\""));
    }

    [Fact]
    public void Other_shells_have_their_own_ways()
    {
        Assert.Equal(@"set -gx X 'it\'s \\'", ShellLines.For("fish").Set("X", @"it's \"));
        Assert.Equal("$env:X = 'it''s'", ShellLines.For("powershell").Set("X", "it's"));
    }

    [Theory]
    [InlineData("--url", "nonsense")]
    [InlineData("--url", "ftp://host")]
    [InlineData("--url", "http://127.0.0.1:8082/v1")]
    [InlineData("--url", "http://127.0.0.1:8082/api/anthropic/v1/")]
    [InlineData("--url", "http://127.0.0.1:8082?x=1")]
    [InlineData("--token-file", "/nowhere/at/all")]
    [InlineData("--haiku", "two words")]
    public async Task What_no_shell_should_read_is_wrong_usage(string option, string value)
    {
        var root = new RootCommand { EnvCommand.Build(_ => null) };
        Assert.Equal(ExitCodes.WrongUsage, await root.Parse(["env", option, value]).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }));
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("t", null, false)]
    [InlineData(null, "t", false)]
    [InlineData(null, " ", true)]
    public void Lines_that_leave_a_shell_without_a_token_say_so(string? token, string? variable, bool says)
    {
        Assert.Equal(says, EnvCommand.Lack(token, name => name == "ANTHROPIC_AUTH_TOKEN" ? variable : null)?.Contains("set CCP_TOKEN", StringComparison.Ordinal) ?? false);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8082/")]
    [InlineData("https://ccp.example/api/anthropic/")]
    public async Task An_address_that_the_client_adds_its_paths_to_is_taken(string url)
    {
        var root = new RootCommand { EnvCommand.Build(_ => null) };
        Assert.Equal(ExitCodes.Ok, await root.Parse(["env", "--url", url]).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }));
    }

    [Fact]
    public async Task Fish_reads_the_lines_made_for_it()
    {
        Assert.SkipWhen(Find("fish") is null, "There is no fish here.");
        var fish = ShellLines.For("fish");

        Assert.Equal(@"[it's \][]", await ShAsync("fish", fish.Set("X", @"it's \") + "\nset -gx Y 1\n" + fish.Unset("Y") + "\nprintf '[%s]' $X \"$Y\""));
    }

    [Theory]
    [InlineData("--foo")]
    [InlineData("--off more")]
    [InlineData("--help")]
    public async Task A_word_that_the_license_script_does_not_know_activates_nothing(string words)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["ccp"], "#!/bin/sh\necho ran >> \"$0.log\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["ccp"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var script = Path.Combine(Repository.Root, "scripts", "dev", "license-activate.sh");

        await ShAsync("sh", $"CCP_HOME='{folder.Path}' CCP_BIN='{folder["ccp"]}' '{script}' {words} 2>/dev/null");
        Assert.False(File.Exists(folder["ccp.log"]));
        await ShAsync("sh", $"CCP_HOME='{folder.Path}' CCP_BIN='{folder["ccp"]}' '{script}' --off 2>/dev/null");
        Assert.True(File.Exists(folder["ccp.log"]));
    }

    public static TheoryData<string> Shells => [.. new[] { "sh", "bash", "zsh" }.Where(shell => Find(shell) is not null)];

    [Theory]
    [MemberData(nameof(Shells))]
    public async Task The_script_points_the_shell_that_sources_it_at_ccp(string shell)
    {
        var script = Path.Combine(Repository.Root, "scripts", "ccp-env.sh");
        const string Show = "printf '%s|%s|%s|%s|%s' \"$ANTHROPIC_BASE_URL\" \"${ANTHROPIC_AUTH_TOKEN-none}\" \"${ANTHROPIC_API_KEY-none}\" \"${ANTHROPIC_DEFAULT_HAIKU_MODEL-none}\" \"${CLAUDE_CODE_SUBAGENT_MODEL-none}\"";

        Assert.Equal("http://127.0.0.1:8082|none|none|none|none", await ShAsync(shell, $"ANTHROPIC_API_KEY=x; . '{script}' >/dev/null; {Show}"));
        Assert.Equal("http://127.0.0.1:9000|t|none|h|s", await ShAsync(shell, $"CCP_TOKEN=t CCP_HAIKU_MODEL=h CCP_SUBAGENT_MODEL=s; set -- 9000; . '{script}' 9000 >/dev/null; {Show}"));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public async Task What_follows_a_port_that_is_none_does_not_go_past_ccp(string shell)
    {
        var script = Path.Combine(Repository.Root, "scripts", "ccp-env.sh");
        foreach (var port in new[] { "90x00", "0", "08082", "65536", "65540", "65600", "66000", "70000", "99999", "100000" })
        {
            Assert.Equal("none|2", await ShAsync(shell, $"set -- {port}; . '{script}' {port} 2>/dev/null && printf 'past ccp'; left=$?; printf '%s|%s' \"${{ANTHROPIC_BASE_URL-none}}\" $left"));
        }

        foreach (var port in new[] { "1", "9999", "10000", "59999", "64999", "65499", "65529", "65535" })
        {
            Assert.Equal($"http://127.0.0.1:{port}", await ShAsync(shell, $"set -- {port}; . '{script}' {port} >/dev/null; printf %s \"$ANTHROPIC_BASE_URL\""));
        }
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public async Task A_file_beside_the_working_directory_gives_what_the_environment_lacks(string shell)
    {
        using var folder = new TempFolder();
        var script = Path.Combine(Repository.Root, "scripts", "with-env");
        Task<string> RunAsync(string before = "") => ShAsync("sh", $"cd '{folder.Path}'; {before} {Find(shell)} '{script}' sh -c 'printf \"%s|%s\" \"${{ZAI_API_KEY-none}}\" \"${{DEFAULT_ANTHROPIC_API_KEY-none}}\"'");

        Assert.Equal("none|none", await RunAsync());
        await File.WriteAllTextAsync(folder[".env"], "bare.key-1\n", TestContext.Current.CancellationToken);
        Assert.Equal("bare.key-1|none", await RunAsync());
        await File.WriteAllTextAsync(folder[".env"], "# keys\n\nexport ZAI_API_KEY=\"quoted\"\r\nDEFAULT_ANTHROPIC_API_KEY='other'\nPATH=/nowhere\n", TestContext.Current.CancellationToken);
        Assert.Equal("quoted|other", await RunAsync());
        Assert.Equal("mine|other", await RunAsync("ZAI_API_KEY=mine"));
        await File.WriteAllTextAsync(folder[".env"], "ZAI_API_KEY=$(touch run)`touch run`", TestContext.Current.CancellationToken);
        Assert.Equal("$(touch run)`touch run`|none", await RunAsync());
        Assert.False(File.Exists(folder["run"]));
    }

    [Theory]
    [InlineData("  bare.key-1  ", "bare.key-1")]
    [InlineData("\"bare.key-1\"", "bare.key-1")]
    [InlineData(" 'bare.key-1'\r\n", "bare.key-1")]
    [InlineData("\ufeffbare.key-1\n", "bare.key-1")]
    [InlineData("\ufeffZAI_API_KEY=a", "a")]
    [InlineData("\tZAI_API_KEY = a b\t", "a b")]
    [InlineData("export  ZAI_API_KEY= \"a = b\" \r\n", "a = b")]
    [InlineData("ZAI_API_KEY=' a '\n", " a ")]
    [InlineData("ZAI_API_KEY=\"", "\"")]
    public async Task People_write_such_a_file_in_many_ways(string text, string key)
    {
        foreach (var shell in Shells)
        {
            Assert.Equal($"[{key}]", await WithEnvAsync(shell.Data, text, "printf '[%s]' \"${ZAI_API_KEY-none}\""));
        }
    }

    [Fact]
    public async Task The_keys_that_licenses_are_checked_with_may_stand_in_it_too() =>
        Assert.Equal("dev=aGk=", await WithEnvAsync("sh", "CCP_LICENSE_PUBKEY_B64=dev=aGk=\n", "printf '%s' \"${CCP_LICENSE_PUBKEY_B64-none}\""));

    [Theory]
    [InlineData("CCP_SERVER")]
    [InlineData("CCP_ADMIN_TOKEN")]
    [InlineData("CCP_TOKEN")]
    [InlineData("TEAM_A_KEY")]
    [InlineData("ALICE_TOKEN")]
    [InlineData("OFFLOAD_PAUSED")]
    public async Task So_may_what_the_commands_and_the_configuration_refer_to(string name) =>
        Assert.Equal("[it]", await WithEnvAsync("sh", $"{name}=it\n", $"printf '[%s]' \"${{{name}-none}}\"", "exec 2>&1; "));

    [Fact]
    public async Task A_variable_that_is_not_taken_is_named_by_its_line_and_nothing_that_may_be_a_key() => Assert.Equal(
        "with-env: line 2 of .env names no variable that is taken from it, and is left alone\n"
        + "with-env: line 3 of .env names no variable that is taken from it, and is left alone\n"
        + "with-env: line 4 of .env names no variable that is taken from it, and is left alone\nnone a",
        await WithEnvAsync("sh", "ZAI_API_KEY=a\nLD_PRELOAD=x\nc2VjcmV0==\nse-cret=\n", "printf '%s %s' \"${LD_PRELOAD-none}\" \"$ZAI_API_KEY\"", "exec 2>&1; "));

    [Fact]
    public async Task A_line_that_says_nothing_is_named_by_its_number_alone() => Assert.Equal(
        "with-env: line 2 of .env is neither NAME=value nor a key, and is left alone\nnone",
        await WithEnvAsync("sh", "# a key\nsome secret words\n", "printf '%s' \"${ZAI_API_KEY-none}\"", "exec 2>&1; "));

    private static async Task<string> WithEnvAsync(string shell, string file, string show, string before = "")
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder[".env"], file, TestContext.Current.CancellationToken);
        return await ShAsync("sh", $"{before}cd '{folder.Path}'; {Find(shell)} '{Path.Combine(Repository.Root, "scripts", "with-env")}' sh -c '{show.Replace("'", "'\\''", StringComparison.Ordinal)}'");
    }

    private static string? Find(string program) => new[] { "/bin", "/usr/bin", "/usr/local/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<string> ShAsync(string shell, string text)
    {
        var start = new ProcessStartInfo(Find(shell)!, ["-c", text]) { RedirectStandardOutput = true };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }
}
