using System.Security.Cryptography;
using System.Text;
using Ccp.Configuration;

namespace Ccp.Tests.Configuration;

public sealed class SecretReferencesTests
{
    private const string Key = "[[key]]\nname = 'team'\nlane = 'anthropic'\nvalue = ";
    private const string Hush = "hush-hush-hush";

    [Fact]
    public void A_secret_comes_from_a_variable_or_a_file_and_is_trimmed()
    {
        var fromVariable = Configured.Good(Key + "'env:TEAM_KEY'", new() { ["TEAM_KEY"] = $" {Hush}\n" });
        var fromFile = Configured.Good(Key + "'file:/run/team'", files: new() { ["/run/team"] = new(Hush + "\n", null) });

        Assert.Equal(Hush, fromVariable.Keys.Single().Value.Reveal());
        Assert.Equal(Hush, fromFile.Keys.Single().Value.Reveal());
    }

    [Theory]
    [InlineData(Key + $"'{Hush}'")]
    [InlineData(Key + $"'env:{Hush}'")]
    [InlineData(Key + $"['{Hush}']")]
    [InlineData(Key + Hush)]
    [InlineData(Key + $"'{Hush}")]
    [InlineData($"[[user]]\nname = 'a'\ntoken = '{Hush}'")]
    [InlineData($"[[user]]\nname = 'a'\ntoken_sha256 = '{Hush}'")]
    [InlineData($"[[user]]\nname = 'a'\nkey = '{Hush}'")]
    [InlineData($"[[lane]]\nname = 'anthropic'\nkey = '{Hush}'")]
    [InlineData($"[server]\nupstream_proxy = 'http://me:{Hush}@proxy:3128'")]
    public void A_literal_is_refused_and_not_repeated(string toml)
    {
        Assert.DoesNotContain("hush", Configured.Problem(toml), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sk-ant-0123")]
    [InlineData(Configured.Token)]
    [InlineData("0123456789012345678901234567890123456789012345")]
    public void What_looks_like_a_secret_is_not_repeated_under_any_setting(string secret)
    {
        Assert.DoesNotContain(secret, Configured.Problem($"[logs]\nlevel = '{secret}'"), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, Configured.Problem($"[logs]\n'{secret}' = 1"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unset_variable_is_a_problem_for_a_key_that_was_named()
    {
        Assert.Equal("config.toml:4:9: key.value: the variable TEAM_KEY is not set", Configured.Problem(Key + "'env:TEAM_KEY'"));
        Assert.Equal("config.toml:4:9: key.value: the variable TEAM_KEY is not set", Configured.Problem(Key + "'env:TEAM_KEY'", new() { ["TEAM_KEY"] = " " }));
    }

    [Fact]
    public void A_lane_may_be_without_a_key_of_its_own()
    {
        var byDefault = Configured.Result("[[lane]]\nname = 'anthropic'\nkey = 'env:DEFAULT_ANTHROPIC_API_KEY'");
        var byChoice = Configured.Result("[[lane]]\nname = 'anthropic'\nkey = 'env:OTHER_KEY'");

        Assert.Null(byDefault.Config!.Lanes[0].Key);
        Assert.Empty(byDefault.Warnings);
        Assert.Null(byChoice.Config!.Lanes[0].Key);
        Assert.Contains("OTHER_KEY", Assert.Single(byChoice.Warnings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_key_serves_a_lane_that_states_none()
    {
        var result = Configured.Result("[[lane]]\nname = 'anthropic'\nhttp2 = false", new() { ["DEFAULT_ANTHROPIC_API_KEY"] = Hush });

        Assert.Equal(Hush, result.Config!.Lanes[0].Key?.Reveal());
        Assert.Equal(["DEFAULT_ANTHROPIC_API_KEY"], result.EnvironmentInForce);
    }

    [Fact]
    public void A_secret_that_would_break_a_header_is_refused()
    {
        var problem = Configured.Problem("", new() { ["DEFAULT_ANTHROPIC_API_KEY"] = $"{Hush}\r\nx-evil: 1" });

        Assert.StartsWith("DEFAULT_ANTHROPIC_API_KEY: this variable holds a blank", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_is_kept_as_the_hash_of_its_lower_case_text()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Configured.Token)));
        var environment = new Dictionary<string, string> { ["T"] = Configured.Token.ToUpperInvariant() };

        Assert.Equal(hash, Configured.Good("[[user]]\nname = 'a'\ntoken = 'env:T'", environment).Users.Single().TokenSha256);
        Assert.Equal(hash, Configured.Good($"[[user]]\nname = 'a'\ntoken_sha256 = '{hash.ToUpperInvariant()}'").Users.Single().TokenSha256);
    }

    [Fact]
    public void One_token_cannot_belong_to_two_users()
    {
        var problem = Configured.Problem(
            "[[user]]\nname = 'a'\ntoken = 'env:T'\n[[user]]\nname = 'b'\ntoken = 'env:T'",
            new() { ["T"] = Configured.Token });

        Assert.Equal("config.toml:6:9: user.token: the same token is already on line 3", problem);
    }

    [Theory]
    [InlineData("not-a-uuid")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("3f2b8c1e9d474a608e157c0d2b9a4f61")]
    public void What_is_no_token_is_refused_without_being_shown(string token)
    {
        var problem = Configured.Problem("[[user]]\nname = 'a'\ntoken = 'env:T'", new() { ["T"] = token });

        Assert.StartsWith("config.toml:3:9: user.token: what this refers to is not a token", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(token, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_file_must_exist_and_be_its_owners_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such file modes.");
            return;
        }

        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, Hush);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Assert.Equal(new SecretFile(Hush, null), SecretFile.Read(path));

            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            Assert.Contains("chmod 600", SecretFile.Read(path).Refusal, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Equal("does not exist", SecretFile.Read(path).Refusal);
        Assert.NotNull(SecretFile.Read(Path.GetTempPath()).Refusal);
        Assert.NotNull(SecretFile.Read("").Refusal);
    }

    [Fact]
    public void An_empty_secret_file_is_refused()
    {
        Assert.EndsWith("the file /run/team is empty", Configured.Problem(Key + "'file:/run/team'", files: new() { ["/run/team"] = new("\n", null) }), StringComparison.Ordinal);
    }
}
