using System.Net;
using System.Text;
using System.Web;
using Ccp.Issuing;
using Ccp.Licenses;
using Ccp.Licensing;
using Ccp.Listening;
using Ccp.Tests.Shared;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Issuing;

public sealed class LoginTests
{
    [Fact]
    public async Task A_code_that_is_confirmed_brings_a_license()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Trial, "ann@example.org"));
        var (url, code) = await issuer.ShownAsync();
        Assert.StartsWith($"Waiting until it is confirmed there, until {LicenseWords.Moment(issuer.Clock.GetUtcNow() + PendingLogins.Lifetime)}", issuer.Shown[2], StringComparison.Ordinal);
        Assert.Contains(code, await (await issuer.GetAsync(url)).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.OK, (await issuer.AnswerAsync(code, "confirm")).StatusCode);

        var claims = Claims(issuer, await issuer.EndAsync(login));
        Assert.Equal(("trial", "ann@example.org", issuer.Clock.GetUtcNow().Date.AddDays(14)), (claims.Plan, claims.Subject, claims.ExpiresAt.Date));
        Assert.Equal(["zai_offload"], claims.Features);
        Assert.DoesNotContain(issuer.Log.All, line => line.Contains("ann@example.org", StringComparison.Ordinal) || line.Contains(IssuerUnderTest.Trial, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_an_invite_the_page_asks_for_it_until_it_is_right()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(null));
        var (url, code) = await issuer.ShownAsync();
        Assert.Contains("name=\"invite\"", await (await issuer.GetAsync(url)).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var wrong = await issuer.AnswerAsync(code, "confirm", "no-such-invite");
        Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        Assert.Contains("There is no such invite", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await issuer.AnswerAsync(code, "confirm", IssuerUnderTest.Once)).StatusCode);

        Assert.Equal("pro", Claims(issuer, await issuer.EndAsync(login)).Plan);
    }

    [Fact]
    public async Task A_login_that_was_denied_brings_nothing()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once));
        var (_, code) = await issuer.ShownAsync();
        await issuer.AnswerAsync(code, "deny");

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.EndAsync(login));
        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await issuer.AnswerAsync(code, "confirm")).StatusCode);
        Assert.False(File.Exists(issuer.RedemptionsPath));
    }

    [Fact]
    public async Task A_code_that_nobody_confirms_expires()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once));
        var (_, code) = await issuer.ShownAsync();
        await Waiting(issuer);
        issuer.Clock.Advance(PendingLogins.Lifetime);

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.EndAsync(login));
        Assert.Contains("Nobody confirmed the login in time", error.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await issuer.AnswerAsync(code, "confirm")).StatusCode);
    }

    [Theory]
    [InlineData("no-such-invite", "no such invite")]
    [InlineData(IssuerUnderTest.Past, "has expired")]
    public async Task An_invite_that_is_none_begins_nothing(string invite, string reason)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.LoginAsync(new DeviceBeginRequest(invite)));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invite_that_is_used_up_begins_nothing()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var first = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once));
        var (_, code) = await issuer.ShownAsync();
        await issuer.AnswerAsync(code, "confirm");
        await issuer.EndAsync(first);

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once)));
        Assert.Contains("redeemed as often as it may be", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_license_of_a_key_that_is_not_trusted_is_not_taken()
    {
        await using var issuer = await IssuerUnderTest.StartAsync(SigningKey.New("foreign"));
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once));
        var (_, code) = await issuer.ShownAsync();
        await issuer.AnswerAsync(code, "confirm");

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.EndAsync(login));
        Assert.Contains("was not taken up: KeyUnknown. The issuer counts the invite as redeemed all the same.", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Any issuer of the contract will do, and none is believed: this one writes the pack as an object, as given.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_issuer_sends_counts_only_when_it_verifies(bool isTampered)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var pack = IssuedLicense.Pack(issuer.Clock.GetUtcNow());
        using var other = await Answering(http => http.Request.Path == "/base/v1/device/begin"
            ? """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":0,"expires_in":99999,"more":1}"""
            : $$"""{"status":"ok","license_pack":{{(isTampered ? IssuedLicense.Tampered(pack) : pack)}}}""");
        var login = issuer.LoginAsync(new DeviceBeginRequest("x"), address: new Uri(other.Address, "base/"));
        var ended = issuer.EndAsync(login, intervalSeconds: 1);

        if (isTampered)
        {
            Assert.Contains("SignatureInvalid", (await Assert.ThrowsAsync<LoginFailedException>(() => ended)).Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(pack, Encoding.UTF8.GetString(await ended));
        }
    }

    [Theory]
    [InlineData("""{"user_code":"A","poll_token":"t","authorize_url":"http://issuer.example/a"}""")]
    [InlineData("""{"user_code":"A","poll_token":"t","authorize_url":"javascript:x"}""")]
    [InlineData("""{"user_code":"A"}""")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("null")]
    public async Task What_is_no_issuer_is_told_apart(string answer)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        using var other = await Answering(_ => answer);

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.LoginAsync(new DeviceBeginRequest(null), address: other.Address));
        Assert.Contains("look at its url", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_browser_on_the_same_host_is_sent_back_and_the_license_is_there()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once), isLoopback: true);
        var (_, code) = await issuer.ShownAsync();
        using var redirected = await issuer.AnswerAsync(code, "confirm");
        var back = redirected.Headers.Location!;

        Assert.Equal(HttpStatusCode.SeeOther, redirected.StatusCode);
        Assert.Equal("127.0.0.1", back.Host);
        Assert.DoesNotContain("license", back.Query, StringComparison.Ordinal);

        // Whoever does not know the state is turned away, and the login goes on.
        Assert.Equal(HttpStatusCode.NotFound, (await issuer.GetAsync(new Uri(back.GetLeftPart(UriPartial.Path) + "?state=0&status=denied"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await issuer.GetAsync(new Uri(back, "/other?" + back.Query))).StatusCode);
        Assert.False(login.IsCompleted);

        Assert.Equal(HttpStatusCode.OK, (await issuer.GetAsync(back)).StatusCode);
        Assert.Equal("pro", Claims(issuer, await login).Plan);
        await Assert.ThrowsAsync<HttpRequestException>(() => issuer.GetAsync(back));
    }

    [Fact]
    public async Task A_denial_in_the_browser_ends_the_login()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once), isLoopback: true);
        var (_, code) = await issuer.ShownAsync();
        using var redirected = await issuer.AnswerAsync(code, "deny");
        await issuer.GetAsync(redirected.Headers.Location!);

        Assert.Contains("refused", (await Assert.ThrowsAsync<LoginFailedException>(() => login)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_that_never_comes_is_waited_for_no_longer_than_the_code_lives()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once), isLoopback: true);
        await issuer.ShownAsync();
        await Tests.Store.Waiting.UntilAsync(() => issuer.Clock.HasTimerDueIn(PendingLogins.Lifetime));
        issuer.Clock.Advance(PendingLogins.Lifetime);

        Assert.Contains("in time", (await Assert.ThrowsAsync<LoginFailedException>(() => login)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_yes_whose_redirect_got_lost_is_fetched_in_the_end()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var login = issuer.LoginAsync(new DeviceBeginRequest(IssuerUnderTest.Once), isLoopback: true);
        var (_, code) = await issuer.ShownAsync();
        await issuer.AnswerAsync(code, "confirm");
        await Tests.Store.Waiting.UntilAsync(() => issuer.Clock.HasTimerDueIn(PendingLogins.Lifetime));
        issuer.Clock.Advance(PendingLogins.Lifetime);

        Assert.Equal("pro", Claims(issuer, await login).Plan);
    }

    [Theory]
    [InlineData("ok")]
    [InlineData("pending")]
    public async Task However_long_the_waits_have_grown_the_issuer_is_asked_once_more_at_the_end(string status)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var pack = IssuedLicense.Pack(issuer.Clock.GetUtcNow());
        var end = issuer.Clock.GetUtcNow().AddSeconds(100);
        using var other = await Answering(http =>
        {
            if (http.Request.Path == "/v1/device/begin")
            {
                return """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":3,"expires_in":100}""";
            }

            http.Response.StatusCode = issuer.Clock.GetUtcNow() < end ? 503 : 200;
            return $$"""{"status":"{{status}}","license_pack":{{pack}}}""";
        });
        var login = issuer.LoginAsync(new DeviceBeginRequest("x"), address: other.Address);
        foreach (var wait in new[] { 3, 6, 12, 24, 48, 7 })
        {
            await Tests.Store.Waiting.UntilAsync(() => issuer.Clock.HasTimerDueIn(TimeSpan.FromSeconds(wait)));
            issuer.Clock.Advance(TimeSpan.FromSeconds(wait));
        }

        if (status == "ok")
        {
            Assert.Equal(pack, Encoding.UTF8.GetString(await login));
        }
        else
        {
            Assert.Contains("Nobody confirmed the login in time", (await Assert.ThrowsAsync<LoginFailedException>(() => login)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_asked_at_the_end_leaves_open_whether_somebody_said_yes()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        using var other = await Answering(http =>
        {
            http.Response.StatusCode = http.Request.Path == "/v1/device/begin" ? 200 : 503;
            return """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":5,"expires_in":5}""";
        });

        var error = await Assert.ThrowsAsync<LoginFailedException>(() => issuer.EndAsync(issuer.LoginAsync(new DeviceBeginRequest("x"), address: other.Address), intervalSeconds: 5));
        Assert.Contains("could not be asked whether the login was confirmed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_poll_that_is_not_answered_is_asked_again()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var pack = IssuedLicense.Pack(issuer.Clock.GetUtcNow());
        var polls = 0;
        using var other = await AnsweringAsync(async http =>
        {
            if (http.Request.Path == "/v1/device/begin")
            {
                return """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":1,"expires_in":600}""";
            }

            if (Interlocked.Increment(ref polls) == 1)
            {
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
            }

            return $$"""{"status":"ok","license_pack":{{pack}}}""";
        });
        var login = issuer.LoginAsync(new DeviceBeginRequest("x"), address: other.Address);
        await Tests.Store.Waiting.UntilAsync(() => issuer.Clock.HasTimerDueIn(TimeSpan.FromSeconds(1)));
        issuer.Clock.Advance(TimeSpan.FromSeconds(1));
        await Tests.Store.Waiting.UntilAsync(() => Volatile.Read(ref polls) == 1);
        issuer.Clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(pack, Encoding.UTF8.GetString(await issuer.EndAsync(login, intervalSeconds: 2)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_issuer_that_does_not_answer_is_told_so_before_anything_is_shown(bool isLoopback)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var isAsked = false;
        using var other = await AnsweringAsync(async http =>
        {
            Volatile.Write(ref isAsked, true);
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return "";
        });
        var login = issuer.LoginAsync(new DeviceBeginRequest("x"), isLoopback, other.Address);
        await Tests.Store.Waiting.UntilAsync(() => Volatile.Read(ref isAsked));
        issuer.Clock.Advance(TimeSpan.FromSeconds(30));

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => login);
        Assert.Equal("The issuer did not answer within 30 seconds. Look at its URL, and try again.", Ccp.Cli.Faults.Describe(error));
        Assert.Empty(issuer.Shown);
    }

    [Fact]
    public async Task A_pack_that_comes_with_the_redirect_is_taken_only_when_it_verifies()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var pack = IssuedLicense.Pack(issuer.Clock.GetUtcNow());
        string? redirect = null;
        using var other = await Answering(http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            redirect = System.Text.Json.JsonDocument.Parse(reader.ReadToEndAsync().GetAwaiter().GetResult()).RootElement.GetProperty("redirect_url").GetString();
            return """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":1,"expires_in":600}""";
        });
        var login = issuer.LoginAsync(new DeviceBeginRequest(null), isLoopback: true, other.Address);
        await issuer.ShownAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await issuer.GetAsync(new Uri($"{redirect}&license_pack={HttpUtility.UrlEncode(IssuedLicense.Tampered(pack))}"))).StatusCode);
        Assert.False(login.IsCompleted);
        Assert.Equal(HttpStatusCode.OK, (await issuer.GetAsync(new Uri($"{redirect}&license_pack={HttpUtility.UrlEncode(pack)}"))).StatusCode);
        Assert.Equal(pack, Encoding.UTF8.GetString(await login));
    }

    private static Task Waiting(IssuerUnderTest issuer) =>
        Tests.Store.Waiting.UntilAsync(() => issuer.Clock.HasTimerDueIn(TimeSpan.FromSeconds(IssuerEndpoint.IntervalSeconds)));

    private static LicenseClaims Claims(IssuerUnderTest issuer, byte[] pack) => LicensePack.Verify(pack, IssuedLicense.Keys, issuer.Clock.GetUtcNow()).Claims!;

    /// <summary>An issuer of somebody else's making.</summary>
    private static Task<SmallServer> Answering(Func<HttpContext, string> answer) => AnsweringAsync(http => Task.FromResult(answer(http)));

    private static async Task<SmallServer> AnsweringAsync(Func<HttpContext, Task<string>> answer)
    {
        var server = new SmallServer(new IPEndPoint(IPAddress.Loopback, 0), 16_384, async http =>
        {
            var body = Encoding.UTF8.GetBytes(await answer(http));
            http.Response.ContentType = "application/json";
            await http.Response.BodyWriter.WriteAsync(body);
        });
        await server.StartAsync();
        return server;
    }
}
