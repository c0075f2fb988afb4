using System.CommandLine;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Ccp.Admin;
using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Quotas;
using Ccp.Tests.Configuration;
using Microsoft.AspNetCore.Connections;

namespace Ccp.Tests.Cli;

/// <summary>What people read says what is wrong and what they can do, by the names that they used.</summary>
public sealed class WordsTests
{
    public static TheoryData<Exception, string> Errors => new()
    {
        { new IOException("Failed to bind to address http://127.0.0.1:8082: address already in use.", new AddressInUseException("x")), "8082: address already in use. End what listens there, or choose another address with --listen." },
        { new HttpRequestException("The SSL connection could not be established, see inner exception.", new AuthenticationException("Cannot determine the frame size.")), "No secure connection came about: Cannot determine the frame size. Look whether the address speaks https" },
        { new HttpRequestException(HttpRequestError.SecureConnectionError, "see inner exception.", new IOException("outer", new IOException("Received an unexpected EOF."))), "No secure connection came about: Received an unexpected EOF. Look whether" },
        { new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused (127.0.0.1:9)"), "Connection refused (127.0.0.1:9). Look at the address, and whether the server there runs." },
        { new SocketException((int)SocketError.AccessDenied), "ports below 1024" },
        { new SocketException((int)SocketError.AddressNotAvailable), "no such address" },
        { new IOException("No space left on device"), "No space left on device" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void What_the_runtime_says_is_put_into_an_operator_s_words(Exception error, string words)
    {
        Assert.Contains(words, Faults.Describe(error), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, """{"error":"Minimum payment is $50","minimumPayment":50}""", "Minimum payment is $50, as billing.minimum_topup says; nothing was changed, and nobody was added. Pay at least that; a smaller amount can be posted to a user who is there with ccp balance NAME AMOUNT --adjust --note TEXT.")]
    [InlineData(401, """{"error":"Send it as authorization: Bearer …"}""", "The server does not take the token in CCP_ADMIN_TOKEN. Set it to the token of an admin of that server.")]
    [InlineData(409, """{"error":"There is one already."}""", "There is one already.")]
    [InlineData(500, "{}", "The server answered with status 500.")]
    public void A_no_of_the_server_says_what_can_be_done_at_a_terminal(int status, string json, string words)
    {
        Assert.Equal(words, Assert.Throws<CommandFailedException>(() => ApiCommand.Report(new AdminAnswer(status, Encoding.UTF8.GetBytes(json)), asJson: false, _ => 0)).Message);
    }

    [Fact]
    public void What_the_server_cannot_read_is_wrong_usage()
    {
        var answer = new AdminAnswer(400, """{"error":"since must be a day"}"""u8.ToArray());
        Assert.Equal("since must be a day", Assert.Throws<WrongUsageException>(() => ApiCommand.Report(answer, asJson: false, _ => 0)).Message);
    }

    [Fact]
    public void What_a_reload_takes_up_is_told_where_people_look()
    {
        Assert.Contains("lanes, routes, quotas, keys and the pause are taken up at once", LaneCommands.Reload(_ => null).Description, StringComparison.Ordinal);
        Assert.Contains("takes up changes of paused, [[lane]], [[route]], [[quota]] and [[key]] by itself", ExampleTests.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("licenses.example", "with its scheme")]
    [InlineData("127.0.0.1:8083", "http://127.0.0.1:8083 on this host")]
    [InlineData("http://licenses.example", "in the clear")]
    [InlineData("https://licenses.example?a=b", "without a query")]
    public void An_issuer_s_address_that_is_none_is_told_why(string issuer, string words)
    {
        Assert.Contains(words, LicenseLoginCommand.ProblemOf(issuer), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CCP_LISTEN", null, "127.0.0.1:1", "--listen: wrong")]
    [InlineData("CCP_LISTEN", null, null, "CCP_LISTEN: wrong")]
    [InlineData("ZAI_API_KEY", null, "127.0.0.1:1", "ZAI_API_KEY: wrong")]
    [InlineData("server.listen", "config.toml", "127.0.0.1:1", "config.toml: server.listen: wrong")]
    public void A_problem_of_an_option_is_told_by_the_option_s_name(string setting, string? file, string? listen, string words)
    {
        Assert.Equal(words, ServeCommand.Words(new ConfigProblem(file, null, setting, "wrong"), listen));
    }

    [Theory]
    [InlineData(0, "1 s")]
    [InlineData(1, "1 s")]
    [InlineData(120, "120 s")]
    [InlineData(121, "3 min")]
    [InlineData(3540, "59 min")]
    [InlineData(3541, "1 h 0 min")]
    [InlineData(17_895, "4 h 59 min")]
    [InlineData(172_800, "2 d 0 h 0 min")]
    [InlineData(600_000, "6 d 22 h 40 min")]
    public void A_long_wait_is_told_in_hours_and_minutes_and_never_too_short(int seconds, string words)
    {
        Assert.Equal(words, QuotaRefusals.Shown(TimeSpan.FromSeconds(seconds)));
    }

    [Theory]
    [InlineData("concurrent", "concurrent")]
    [InlineData("spendPerDay", "spend per day")]
    [InlineData("requestsPerMinute", "requests per minute")]
    public void A_limit_has_a_name_for_people(string name, string words)
    {
        Assert.Equal(words, LimitsJson.Words(name));
    }

    [Theory]
    [InlineData("streaming", "complete")]
    [InlineData("ok", "complete")]
    [InlineData("client_left", "client_left")]
    public void A_request_that_has_ended_does_not_look_as_if_it_went_on(string reason, string ended)
    {
        Assert.Equal(ended, RequestsCommand.Ended(reason));
    }

    [Theory]
    [InlineData("zai_offload", null)]
    [InlineData("", "names no feature")]
    [InlineData("zai_ofload", "asks for zai_offload alone: zai_ofload counts only")]
    public void A_feature_that_may_be_misspelt_is_doubted_before_it_is_signed(string feature, string? words)
    {
        var doubt = LicenseIssueCommands.Doubt(feature.Length == 0 ? [] : [feature]);
        Assert.Equal(words is null, doubt is null);
        Assert.Contains(words ?? "", doubt ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_commands_shows_only_the_arguments_that_must_be_there()
    {
        var root = new RootCommand { BalanceCommand.Build(_ => null), RequestsCommand.Build(_ => null) };
        foreach (var command in root.Subcommands)
        {
            CommandLine.ShortenForList(command);
        }

        using var help = new StringWriter();
        root.Parse("--help").Invoke(new InvocationConfiguration { Output = help });

        Assert.Contains("balance <NAME>", help.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("<AMOUNT>", help.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("requests <NAME>", help.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Example", help.ToString(), StringComparison.Ordinal);
    }
}
