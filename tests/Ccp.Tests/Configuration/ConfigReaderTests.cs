using System.Net;
using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Tests.Configuration;

public sealed class ConfigReaderTests
{
    [Fact]
    public void Without_a_file_ccp_listens_on_loopback_and_calls_the_anthropic_lane()
    {
        var config = ConfigReader.Default(_ => null).Config!;

        Assert.Equal([new ListenAddress(new IPEndPoint(IPAddress.Loopback, 8082), null)], config.Server.Listen);
        Assert.Equal(32L << 20, config.Server.BodyBytesMax);
        Assert.Equal(new BillingConfig(2m, Usd("50"), Usd("30"), Usd("1"), null), config.Billing);
        Assert.Equal(new StorageConfig("ccp.db", true, TimeSpan.FromDays(90)), config.Storage);
        Assert.Equal(
            [("anthropic", "https://api.anthropic.com/", (Secret?)null), ("zai", "https://api.z.ai/api/anthropic", null)],
            config.Lanes.Select(lane => (lane.Name, lane.BaseUrl.ToString(), lane.Key)));
        Assert.Empty(config.Prices);
    }

    [Fact]
    public void Five_mistakes_give_five_problems_with_their_places()
    {
        const string Toml = """
            [server]
            lisen = "127.0.0.1:1"
            drain = 30

            [logs]
            max_files = "8"

            [[user]]
            name = "alice"
            key = "nobody"

            [[user]]
            name = "alice"
            """;

        Assert.Equal(
            [
                "config.toml:2:1: server.lisen: there is no such setting; did you mean \"listen\"?",
                "config.toml:3:9: server.drain: expected a duration from \"0s\" to \"1h\" (a number and ms, s, m, h or d, in quotes), found 30",
                "config.toml:6:13: logs.max_files: expected a whole number from 1 to 10000, found \"8\"",
                "config.toml:10:7: user.key: expected the name of a [[key]] of this file, and it has none",
                "config.toml:13:8: user.name: a user named \"alice\" is already on line 9",
            ],
            Configured.Problems(Toml));
    }

    [Fact]
    public void A_value_that_is_no_toml_does_not_hide_the_other_mistakes()
    {
        var problems = Configured.Problems("[server]\ndrain = 30s\n[billing]\nmarkup = -1\n");

        Assert.Equal(2, problems.Length);
        Assert.StartsWith("config.toml:2:9: expected a value", problems[0], StringComparison.Ordinal);
        Assert.StartsWith("config.toml:4:10: billing.markup: expected a factor from 0 to 1000", problems[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[servr]", "config.toml:1:2: servr: there is no such setting; did you mean \"server\"?")]
    [InlineData("[server]\nmaxBody = 1", "config.toml:2:1: server.maxBody: there is no such setting; did you mean \"max_body\"?")]
    [InlineData("[server]\nzebra = 1", "config.toml:2:1: server.zebra: there is no such setting")]
    [InlineData("[user]\nname = 'a'", "config.toml:1:1: user: expected a list of tables, each under [[user]], found a table")]
    [InlineData("server = 5", "config.toml:1:10: server: expected a table, found 5")]
    [InlineData("[[user]]", "config.toml:1:1: user: name is missing")]
    [InlineData("[[user]]\nname = 'a b'", "config.toml:2:8: user.name: expected 1 to 64 of the letters A-Z and a-z, digits, \".\", \"_\" and \"-\", found \"a b\"")]
    [InlineData("[[lane]]\nname = 'other'\nkey = 'env:X'", "config.toml:1:1: lane: base_url is missing")]
    [InlineData("[[route]]\nmodel = 'a'\nlane = 'nowhere'", "config.toml:3:8: route.lane: there is no lane \"nowhere\"; the lanes are: \"anthropic\", \"zai\"")]
    [InlineData("[[route]]\nmodel = 'a'\nlane = 'zai'\nfallback = 'zai'", "config.toml:4:12: route.fallback: a lane cannot take its own place; name another one, or leave it out")]
    [InlineData("[[route]]\nmodel = 'a'\nlane = 'zai'\nonly_if_cheaper = true", "config.toml:4:19: route.only_if_cheaper: state the fallback that the price is compared with")]
    [InlineData("[[lane]]\nname = 'zai'\nstrip = ['tools']", "config.toml:3:10: lane.strip: there is nothing called \"tools\" to take out; there is \"system.billing_header\"")]
    [InlineData("[[lane]]\nname = 'anthropic'\nheader = 'passthrough'\nkey = 'env:X'", "config.toml:4:7: lane.key: a lane with header = \"passthrough\" passes on each caller's own login and uses no key; leave one of the two out")]
    [InlineData("[[lane]]\nname = 'anthropic'\nheader = 'passthrough'\n[[lane]]\nname = 'zai'\nheader = 'passthrough'", "config.toml:6:10: lane.header: the lane \"anthropic\" passes on callers' logins already, and a login belongs to one provider")]
    [InlineData("[[lane]]\nname = 'anthropic'\nrequires = 'x'", "config.toml:3:12: lane.requires: the default lane works without a license; what needs one goes to another lane")]
    [InlineData("[[lane]]\nname = 'anthropic'\nbase_url = 'https://api.z.ai/api/anthropic'", "config.toml:3:12: lane.base_url: the default lane works without a license; what needs one goes to another lane")]
    [InlineData("[[lane]]\nname = 'zai'\nrequires = ''", "config.toml:3:12: lane.requires: api.z.ai takes a license with the feature \"zai_offload\", by whatever name the lane goes; leave the setting out")]
    [InlineData("[[lane]]\nname = 'other'\nbase_url = 'https://API.Z.AI./x'\nkey = 'env:DEFAULT_ANTHROPIC_API_KEY'\nrequires = 'mine'", "config.toml:5:12: lane.requires: api.z.ai. takes a license with the feature \"zai_offload\", by whatever name the lane goes; leave the setting out")]
    [InlineData("[[user]]\nname = 'a'\nlane_override = 'b'", "config.toml:3:17: user.lane_override: there is no lane \"b\"; the lanes are: \"anthropic\", \"zai\"")]
    [InlineData("[[lane]]\nname='anthropic'\n[[lane]]\nname='anthropic'", "config.toml:4:6: lane.name: a lane \"anthropic\" is already on line 2")]
    [InlineData("[logs]\nformat = 'xml'", "config.toml:2:10: logs.format: expected \"text\" or \"json\", found \"xml\"")]
    [InlineData("[storage]\nrequest_records = '5 days'", "config.toml:2:19: storage.request_records: expected a duration from \"1h\" to \"36500d\" (a number and ms, s, m, h or d, in quotes), found \"5 days\"")]
    [InlineData("[server]\nmax_body = '1 GB'", "config.toml:2:12: server.max_body: expected a size from \"64KiB\" to \"1GiB\", found \"1 GB\"")]
    [InlineData("[server]\ntls_cert = '/c.pem'", "config.toml:2:12: server.tls_cert: tls_cert and tls_key are set together or not at all")]
    [InlineData("[server]\nlisten = []", "config.toml:2:10: server.listen: an empty list leaves nowhere to listen")]
    [InlineData("[server]\nlisten = ['127.0.0.1:1', '127.0.0.1:1']", "config.toml:2:26: server.listen: 127.0.0.1:1 is listed twice")]
    [InlineData("[storage]\npath = 'postgres://u:p@h/d'", "config.toml:2:8: storage.path: expected the path of a database file; a database server cannot be used")]
    public void A_problem_says_where_and_what_is_expected(string toml, string problem)
    {
        Assert.Equal(problem, Configured.Problem(toml));
    }

    [Theory]
    [InlineData("https://api.z.ai/api/anthropic", "zai_offload")]
    [InlineData("https://API.Z.AI:8443/", "zai_offload")]
    [InlineData("https://z.ai./", "zai_offload")]
    [InlineData("https://notz.ai/", null)]
    [InlineData("https://z.ai.example/", null)]
    public void A_lane_at_z_ai_takes_a_license_whatever_it_is_called(string url, string? feature)
    {
        Assert.Equal(feature, Configured.Good($"[[lane]]\nname = 'other'\nbase_url = '{url}'\nkey = 'env:OTHER_KEY'", new() { ["OTHER_KEY"] = "k" }).Lanes[2].Requires);
    }

    [Theory]
    [InlineData("'500ms'", 500)]
    [InlineData("'90s'", 90_000)]
    [InlineData("'5m'", 300_000)]
    [InlineData("'1h'", 3_600_000)]
    public void A_duration_is_a_number_and_a_unit(string written, int milliseconds)
    {
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Configured.Good($"[server]\ndrain = {written}").Server.Drain);
    }

    [Theory]
    [InlineData("'32MiB'", 33_554_432)]
    [InlineData("'20MB'", 20_000_000)]
    [InlineData("'64KiB'", 65_536)]
    [InlineData("100_000", 100_000)]
    [InlineData("'100000'", 100_000)]
    public void A_size_is_a_number_of_bytes_with_or_without_a_unit(string written, long bytes)
    {
        Assert.Equal(bytes, Configured.Good($"[server]\nmax_body = {written}").Server.BodyBytesMax);
    }

    [Theory]
    [InlineData("50", "50")]
    [InlineData("0.10", "0.1")]
    [InlineData("\"0.10\"", "0.1")]
    [InlineData("0.000000001", "0.000000001")]
    [InlineData("123456789.123456789", "123456789.123456789")]
    public void Money_counts_exactly_as_it_is_written(string written, string dollars)
    {
        Assert.Equal(Usd(dollars), Configured.Good($"[billing]\nwarn_below = {written}").Billing.WarnBelow);
    }

    [Theory]
    [InlineData("1e3")]
    [InlineData("1_000")]
    [InlineData("+5")]
    [InlineData("-1")]
    [InlineData("0.0000000001")]
    [InlineData("nan")]
    [InlineData("inf")]
    [InlineData("0x10")]
    [InlineData("\"5 dollars\"")]
    [InlineData("true")]
    public void Money_that_could_be_read_two_ways_is_refused(string written)
    {
        Assert.Contains("billing.overdraft: expected dollars", Configured.Problem($"[billing]\noverdraft = {written}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0:443")]
    [InlineData("[::]:443")]
    public void A_network_address_without_tls_needs_the_word_insecure(string address)
    {
        Assert.StartsWith("config.toml:2:10: server.listen:", Configured.Problem($"[server]\nlisten = '{address}'"), StringComparison.Ordinal);
        Configured.Good($"[server]\nlisten = '{address}'\ninsecure_http = true");
        Configured.Good($"[server]\nlisten = '{address}'\ntls_cert = '/c'\ntls_key = '/k'");
    }

    [Fact]
    public void A_variable_for_listening_replaces_the_file_and_meets_the_same_rules()
    {
        var open = new Dictionary<string, string> { ["CCP_LISTEN"] = "0.0.0.0:80" };

        Assert.StartsWith("CCP_LISTEN: 0.0.0.0:80 is open to the network", Configured.Problem("", open), StringComparison.Ordinal);
        Assert.Equal("0.0.0.0:80", Configured.Good("[server]\ninsecure_http = true\nlisten = 'localhost:1'", open).Server.Listen.Single().ToString());
        Assert.StartsWith("CCP_LISTEN: expected an address", Configured.Problem("", new() { ["CCP_LISTEN"] = "eighty" }), StringComparison.Ordinal);
        Assert.Equal(["CCP_LISTEN"], Configured.Result("", new() { ["CCP_LISTEN"] = "127.0.0.1:1" }).EnvironmentInForce);
        Assert.Empty(Configured.Result("", new() { ["CCP_LISTEN"] = "" }).EnvironmentInForce);
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("cookie")]
    [InlineData("proxy-anything")]
    [InlineData("x-forwarded-for")]
    [InlineData("x-ccp-token")]
    [InlineData("host")]
    [InlineData("connection")]
    [InlineData("accept-encoding")]
    [InlineData("Content-Language")]
    [InlineData("last-modified")]
    public void A_header_that_never_crosses_cannot_be_named(string header)
    {
        var problem = Configured.Problem($"[[lane]]\nname = 'anthropic'\nforward_headers = ['{header}']");

        Assert.StartsWith($"config.toml:3:20: lane.forward_headers: {header.ToLowerInvariant()} is never forwarded: ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_to_forward_are_kept_in_lower_case()
    {
        Assert.Equal(["x-team"], Lane("forward_headers = ['X-Team', 'x-team']").ForwardHeaders);
    }

    [Theory]
    [InlineData("base_url = 'ftp://h'")]
    [InlineData("base_url = '/v1'")]
    [InlineData("base_url = 'https://h/?a=b'")]
    [InlineData("base_url = 'https://user:hunter2@h/'")]
    [InlineData("idle_timeout = '29s'")]
    [InlineData("ping_after = '0s'")]
    [InlineData("header = 'cookie'")]
    [InlineData("forward_headers = ['a b']")]
    [InlineData("http2 = 'yes'")]
    [InlineData("price_as = 'a b'")]
    [InlineData("price_as = 'claude-nobody-prices-this'")]
    public void An_impossible_lane_setting_is_refused(string setting)
    {
        var problem = Configured.Problem("[[lane]]\nname = 'anthropic'\n" + setting);

        Assert.StartsWith($"config.toml:3:{(setting[0] == 'f' ? 20 : setting.IndexOf('=', StringComparison.Ordinal) + 3)}: lane.", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lane_over_plain_http_is_warned_about_unless_it_is_on_this_machine()
    {
        Assert.Empty(Configured.Result("[[lane]]\nname = 'anthropic'\nbase_url = 'http://127.0.0.1:9'").Warnings);
        var warning = Assert.Single(Configured.Result("[[lane]]\nname = 'anthropic'\nbase_url = 'http://10.0.0.1:9'").Warnings);
        Assert.StartsWith("config.toml:3:12: lane.base_url:", warning.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_model_can_only_be_charged_as_one_that_has_a_price()
    {
        Assert.StartsWith("config.toml:2:17: billing.unknown_model:", Configured.Problem("[billing]\nunknown_model = 'claude-opus-9'"), StringComparison.Ordinal);
        Assert.Equal("claude-opus-9", Configured.Good("[billing]\nunknown_model = 'claude-opus-9'\n[[price]]\nmodel = 'claude-opus-9'\ninput = 1\noutput = 2").Billing.UnknownModelPricedAs);
    }

    [Theory]
    [InlineData("", "authorization", nameof(LaneHeader.Authorization), true)]
    [InlineData("header = 'x-api-key'", "Authorization", nameof(LaneHeader.Authorization), true)]
    [InlineData("header = 'x-api-key'", "auto", nameof(LaneHeader.Auto), true)]
    [InlineData("header = 'x-api-key'", "", nameof(LaneHeader.ApiKey), false)]
    [InlineData("header = 'passthrough'", "x-api-key", nameof(LaneHeader.Passthrough), false)]
    [InlineData("header = 'passthrough'", "passthrough", nameof(LaneHeader.Passthrough), false)]
    public void The_variable_for_the_header_of_zai_comes_before_the_file_but_changes_nobody_s_login(string setting, string variable, string header, bool isInForce)
    {
        var result = Configured.Result($"[[lane]]\nname = 'zai'\n{setting}", new() { ["ZAI_HEADER_MODE"] = variable });

        Assert.Empty(result.Problems);
        Assert.Equal([nameof(LaneHeader.ApiKey), header], result.Config!.Lanes.Select(lane => lane.Header.ToString()));
        Assert.Equal(isInForce ? ["ZAI_HEADER_MODE"] : [], result.EnvironmentInForce);
    }

    [Theory]
    [InlineData("passthrough")]
    [InlineData("bearer")]
    public void A_word_for_the_header_of_zai_that_means_none_is_a_problem(string variable) =>
        Assert.StartsWith("ZAI_HEADER_MODE: ", Configured.Problem("[[lane]]\nname = 'zai'\nheader = 'auto'", new() { ["ZAI_HEADER_MODE"] = variable }), StringComparison.Ordinal);

    private static LaneConfig Lane(string setting) => Configured.Good("[[lane]]\nname = 'anthropic'\n" + setting).Lanes[0];

    private static NanoUsd Usd(string text) => NanoUsd.TryParse(text, out var amount) ? amount : throw new FormatException(text);
}
