using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Ccp.Cli;

namespace Ccp.Tests.Admin;

public sealed partial class CommandLineTests
{
    private static readonly RootCommand Root = new()
    {
        ServeCommand.Build(_ => null),
        InitCommand.Build(_ => null),
        CheckCommand.Build(_ => null),
        UserCommands.Build(_ => null),
        BalanceCommand.Build(_ => null),
        UsageCommand.Build(_ => null),
        SavingsCommand.Build(_ => null),
        RequestsCommand.Build(_ => null),
        StatusCommand.Build(_ => null),
        ReceiptCommand.Build(_ => null),
        RefundCommand.Build(_ => null),
        LedgerCommands.Build(_ => null),
        PricingCommands.Build(_ => null),
        DbCommands.Build(_ => null),
        LicenseCommands.Build(_ => null),
        LaneCommands.Lanes(_ => null),
        LaneCommands.Pause(_ => null),
        LaneCommands.Resume(_ => null),
        LaneCommands.Reload(_ => null),
        DoctorCommand.Build(_ => null),
        VerifyCommand.Build(_ => null),
        EnvCommand.Build(_ => null),
        TokenCommands.Build(),
        VersionCommand.Build(),
    };

    [Theory]
    [InlineData("user list --json")]
    [InlineData("user add alice --api-key - --balance 50 --admin")]
    [InlineData("user update alice --admin true --disabled false --markup 1.5 --billing false --api-key env:KEY")]
    [InlineData("user add alice --concurrent 4 --requests-per-minute 60 --tokens-per-minute 0 --spend-per-day 20 --spend-per-month 200.50")]
    [InlineData("user update alice --models claude-haiku-*,claude-sonnet-* --allow-from 10.0.0.0/8 --expires 2027-01-31")]
    [InlineData("user update alice --concurrent default")]
    [InlineData("user delete alice --yes")]
    [InlineData("user token alice --server http://127.0.0.1:8082")]
    [InlineData("balance alice")]
    [InlineData("balance alice 50.25 --reference r --note n")]
    [InlineData("balance alice -12.50 --note n")]
    [InlineData("balance alice 5 --adjust --note n")]
    [InlineData("savings")]
    [InlineData("savings --since 90d --json")]
    [InlineData("requests alice --limit 5 --before req_1")]
    [InlineData("receipt req_1 --json")]
    [InlineData("refund req_1 0.5 --note n")]
    [InlineData("refund req_1")]
    [InlineData("pricing show")]
    [InlineData("pricing show claude-* --json")]
    [InlineData("pricing explain claude-opus-5-5")]
    [InlineData("pricing rerate --since 30d --until 2026-11-22 --user alice --dry-run --run fix-1")]
    [InlineData("usage")]
    [InlineData("usage alice --since 7d --by session")]
    [InlineData("ledger show alice --limit 5 --before 9")]
    [InlineData("ledger verify --json")]
    [InlineData("ledger missing")]
    [InlineData("ledger missing a.jsonl b.jsonl --post --config c.toml --server http://127.0.0.1:8082")]
    [InlineData("status --since 7d --json")]
    [InlineData("db backup monday.db --json")]
    [InlineData("db check")]
    [InlineData("db restore monday.db --check")]
    [InlineData("db restore monday.db --yes --config c.toml")]
    [InlineData("token hash")]
    [InlineData("license status --json")]
    [InlineData("license activate license.pack --server http://127.0.0.1:8082")]
    [InlineData("license activate -")]
    [InlineData("license deactivate --config /etc/ccp/config.toml")]
    [InlineData("license login --issuer https://licenses.example --invite 3fz9-team-a --email ann@example.org --device --loopback --json")]
    [InlineData("license keygen --key license.key --kid 2026")]
    [InlineData("license issue --key license.key --plan pro --feature zai_offload --feature x --days 365 --sub ann --device this")]
    [InlineData("license issuer --key license.key --invites invites.toml --listen 127.0.0.1:8083 --redemptions counts.json --url https://licenses.example")]
    [InlineData("serve --config /etc/ccp/config.toml --listen 127.0.0.1:8082")]
    [InlineData("lanes --json")]
    [InlineData("lanes pause")]
    [InlineData("lanes resume")]
    [InlineData("pause --server http://127.0.0.1:8082 --config c.toml --json")]
    [InlineData("resume --server http://127.0.0.1:8082 --config c.toml --json")]
    [InlineData("reload --server http://127.0.0.1:8082 --json")]
    [InlineData("doctor --server http://127.0.0.1:8082 --config c.toml --json")]
    [InlineData("verify")]
    [InlineData("verify usage.jsonl --licensed --json")]
    [InlineData("verify --server http://127.0.0.1:8082 --config c.toml")]
    [InlineData("env --url http://127.0.0.1:8082 --token-file token --haiku claude-haiku-4-5 --subagents claude-sonnet-5-5 --shell fish")]
    [InlineData("init --dir /tmp/x")]
    [InlineData("check --config /etc/ccp/config.toml")]
    [InlineData("version")]
    public void What_the_help_promises_is_understood(string line)
    {
        Assert.Empty(Root.Parse(line).Errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("user")]
    [InlineData("user add")]
    [InlineData("user update alice")]
    [InlineData("user update alice --admin perhaps")]
    [InlineData("balance")]
    [InlineData("balance alice --reference r")]
    [InlineData("balance alice 50 60")]
    [InlineData("balance alice -12.50")]
    [InlineData("balance alice 5 --adjust")]
    [InlineData("balance alice --adjust")]
    [InlineData("receipt")]
    [InlineData("refund")]
    [InlineData("pricing")]
    [InlineData("pricing explain")]
    [InlineData("pricing rerate --dry-run")]
    [InlineData("usage --by week")]
    [InlineData("ledger")]
    [InlineData("db")]
    [InlineData("db backup")]
    [InlineData("db restore")]
    [InlineData("ledger show --limit many")]
    [InlineData("license")]
    [InlineData("license activate")]
    [InlineData("license login")]
    [InlineData("license issue --key license.key --plan pro")]
    [InlineData("license issue --key license.key --plan pro --days many")]
    [InlineData("license issuer --key license.key")]
    [InlineData("serve now")]
    [InlineData("lanes show")]
    [InlineData("pause zai")]
    [InlineData("reload config.toml")]
    [InlineData("verify a.jsonl b.jsonl")]
    [InlineData("env --shell csh")]
    [InlineData("bogus")]
    public void What_makes_no_sense_is_wrong_usage(string line)
    {
        Assert.NotEmpty(Root.Parse(line).Errors);
    }

    [Fact]
    public void Every_command_carries_an_example()
    {
        Assert.All(Below(Root), command => Assert.Matches(ExampleOf(), command.Description));
    }

    [Fact]
    public void Every_example_is_understood()
    {
        var examples = Below(Root).SelectMany(command => ExampleOf().Matches(command.Description!)).Select(match => match.Groups[1].Value.Trim().Replace('\'', '"')).Distinct().ToList();

        Assert.True(examples.Count > 45, $"Only {examples.Count} examples were found.");
        Assert.All(examples, example => Assert.Empty(Root.Parse(example).Errors));
    }

    [Fact]
    public void A_key_comes_from_standard_input_or_the_environment()
    {
        Assert.Null(ApiKeySource.Read(null, _ => null, TextReader.Null));
        Assert.Equal("sk-1", ApiKeySource.Read("-", _ => null, new StringReader("sk-1\n")));
        Assert.Equal("sk-2", ApiKeySource.Read("env:KEY", name => name == "KEY" ? "sk-2" : null, TextReader.Null));
    }

    [Theory]
    [InlineData("sk-ant-secret")]
    [InlineData("env:UNSET")]
    [InlineData("file:/nowhere/at/all")]
    [InlineData("-")]
    public void A_key_on_the_command_line_is_refused_and_not_repeated(string stated)
    {
        var error = Assert.Throws<WrongUsageException>(() => ApiKeySource.Read(stated, _ => null, TextReader.Null));

        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_that_a_terminal_acts_on_is_printed()
    {
        Assert.Equal("a[2Jbcd é", Terminal.Clean("a\u001b[2Jb\u202ec\u0085d é\u2028"));
    }

    [Fact]
    public void A_body_holds_what_was_stated_and_amounts_as_they_were_typed()
    {
        var body = AdminCall.BodyOf(("username", "alice"), ("initialBalance", "50.10"), ("isAdmin", "true"), ("note", null));

        Assert.Equal("""{"username":"alice","initialBalance":"50.10","isAdmin":true}""", Encoding.UTF8.GetString(body.Span));
    }

    [Fact]
    public void Limits_travel_as_one_object_of_those_that_were_stated()
    {
        var limits = new LimitOptions();
        var command = new Command("x");
        limits.AddTo(command);

        Assert.Null(limits.Json(command.Parse([])));
        Assert.Equal(
            """{"concurrent":4,"spendPerDay":"20.50","models":["a","b-*"],"allowFrom":null,"expires":"2027-01-31"}""",
            limits.Json(command.Parse(["--concurrent", "4", "--spend-per-day", "20.50", "--models", "a, b-*", "--allow-from", "default", "--expires", "2027-01-31"])));
        Assert.Throws<WrongUsageException>(() => limits.Json(command.Parse(["--concurrent", "many"])));
        Assert.Throws<WrongUsageException>(() => limits.Json(command.Parse(["--spend-per-day", "1e3"])));
        Assert.Equal("""{"limits":{"concurrent":4}}""", Encoding.UTF8.GetString(AdminCall.BodyOf(("limits", """{"concurrent":4}""")).Span));
    }

    private static IEnumerable<Command> Below(Command command) => command.Subcommands.SelectMany(child => Below(child).Prepend(child));

    /// <summary>What is typed after the name of the program, without what a shell does around it.</summary>
    [GeneratedRegex("(?m)^Example: .*?\\bccp ([^|)<>\n]+)")]
    private static partial Regex ExampleOf();
}
