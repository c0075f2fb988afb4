using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.Issuing;
using Ccp.Licensing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Issuing;

public sealed class IssuerTests
{
    private static readonly string Device = Convert.ToBase64String(new byte[32]);

    [Fact]
    public async Task An_invite_and_an_address_bring_a_license_in_every_form_that_the_contract_names()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (status, answer) = await issuer.AskAsync("/v1/license/issue", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}","email":"ann@example.org","device":"{{Device}}"}""");

        Assert.Equal(200, status);
        Assert.Equal(("test", "trial", "zai_offload"), (Text(answer, "kid"), Text(answer, "plan"), answer.GetProperty("features")[0].GetString()));
        Assert.Equal(Convert.ToBase64String(IssuedLicense.Key.PublicKey), Text(answer, "pubKeyB64"));
        var whole = LicensePack.Verify(Encoding.UTF8.GetBytes(Text(answer, "license_pack")), IssuedLicense.Keys, issuer.Clock.GetUtcNow(), Device);
        var parts = LicensePack.Join(Encoding.UTF8.GetBytes(answer.GetProperty("license").GetRawText()), Text(answer, "sigB64"));
        Assert.Equal("ann@example.org", whole.Claims!.Subject);
        Assert.Equal(Device, whole.Claims.Device);
        Assert.Equal(whole.Claims.ExpiresAt.ToUnixTimeSeconds(), answer.GetProperty("exp").GetInt64());
        Assert.True(LicensePack.Verify(parts, IssuedLicense.Keys, issuer.Clock.GetUtcNow(), Device).IsValid);
        Assert.Equal("{\n  \"trial-invite\": 1\n}", File.ReadAllText(issuer.RedemptionsPath));
        Assert.Equal("Information: Issued a license: plan trial, features zai_offload, until 2026-12-06 12:00:00 UTC, key test; redemption 1 of 5 of its invite", Assert.Single(issuer.Log.All));
    }

    [Fact]
    public async Task Twenty_at_once_for_an_invite_of_five_get_five_licenses()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(number =>
            issuer.AskAsync("/v1/license/issue", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}","email":"{{number}}@example.org"}""")));

        Assert.Equal(5, answers.Count(answer => answer.Status == 200));
        Assert.Equal(15, answers.Count(answer => answer.Status == 409));
        Assert.Equal(5, answers.Where(answer => answer.Status == 200).Select(answer => Text(answer.Json, "license_pack")).Distinct().Count());
    }

    [Fact]
    public async Task One_login_confirmed_twenty_times_is_one_redemption()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}"}""");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => issuer.AnswerAsync(Text(begun, "user_code"), "confirm")));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal("{\n  \"trial-invite\": 1\n}", File.ReadAllText(issuer.RedemptionsPath));
        Assert.Equal("ok", Text((await PollAsync(issuer, begun)).Json, "status"));
        Assert.Equal("ok", Text((await PollAsync(issuer, begun)).Json, "status"));
    }

    [Theory]
    [InlineData($$"""{"invite_code":"{{IssuerUnderTest.Once}}"}""")]
    [InlineData("{}")]
    public async Task The_page_of_a_login_that_was_decided_says_so_when_it_is_looked_at_again(string begin)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", begin);
        await issuer.AnswerAsync(Text(begun, "user_code"), "confirm", IssuerUnderTest.Once);

        var again = await issuer.GetAsync(new Uri(Text(begun, "authorize_url")));
        var page = await again.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Contains("This login was decided already. Look at your terminal.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<form", page, StringComparison.Ordinal);
        var twice = await issuer.AnswerAsync(Text(begun, "user_code"), "confirm", IssuerUnderTest.Once);
        Assert.Equal((HttpStatusCode.Conflict, page), (twice.StatusCode, await twice.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task When_redemptions_cannot_be_counted_nothing_is_issued()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}"}""");
        File.WriteAllText(issuer.RedemptionsPath, "damaged");

        Assert.Equal(503, (await issuer.AskAsync("/v1/license/issue", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}","email":"a@b"}""")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await issuer.AnswerAsync(Text(begun, "user_code"), "confirm")).StatusCode);
        Assert.Equal("pending", Text((await PollAsync(issuer, begun)).Json, "status"));
        Assert.Contains(issuer.Log.All, line => line.Contains("does not hold counts of redemptions", StringComparison.Ordinal));
    }

    /// <summary>A folder in the place of the lock is refused as a folder that may not be written is, also to root.</summary>
    [Fact]
    public async Task A_login_whose_redemption_could_not_be_written_down_can_be_confirmed_again()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}"}""");
        Directory.CreateDirectory(issuer.RedemptionsPath + ".lock");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await issuer.AnswerAsync(Text(begun, "user_code"), "confirm")).StatusCode);

        Directory.Delete(issuer.RedemptionsPath + ".lock");
        Assert.Equal(HttpStatusCode.OK, (await issuer.AnswerAsync(Text(begun, "user_code"), "confirm")).StatusCode);
        Assert.Equal("ok", Text((await PollAsync(issuer, begun)).Json, "status"));
    }

    [Fact]
    public async Task Whoever_polls_is_told_how_the_login_stands()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", """{"invite_code":""}""");

        Assert.Equal("pending", Text((await PollAsync(issuer, begun)).Json, "status"));
        Assert.Equal("""{"status":"not_found"}""", (await issuer.AskAsync("/v1/device/poll", """{"poll_token":"guess"}""")).Json.GetRawText());
        issuer.Clock.Advance(TimeSpan.FromSeconds(begun.GetProperty("expires_in").GetInt32()));
        Assert.Equal("expired", Text((await PollAsync(issuer, begun)).Json, "status"));

        // Not for ever: a later login sweeps it away.
        issuer.Clock.Advance(PendingLogins.Lifetime);
        await issuer.AskAsync("/v1/device/begin", "{}");
        Assert.Equal("not_found", Text((await PollAsync(issuer, begun)).Json, "status"));
    }

    [Theory]
    [InlineData("/v1/license/issue", "{}", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"trial-invite"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"trial-invite","email":"nobody"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"trial-invite","email":"a@b\nc"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"trial-invite","email":"a@b","device":"host"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":5,"email":"a@b"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"\ud800","email":"a@b"}""", 400)]
    [InlineData("/v1/license/issue", """{"invite_code":"Trial-Invite","email":"a@b"}""", 403)]
    [InlineData("/v1/license/issue", """{"invite_code":"expired-invite","email":"a@b"}""", 403)]
    [InlineData("/v1/license/issue", "null", 400)]
    [InlineData("/v1/license/issue", "not json", 400)]
    [InlineData("/v1/device/begin", """{"redirect_url":"https://elsewhere.example/"}""", 400)]
    [InlineData("/v1/device/begin", """{"redirect_url":"http://elsewhere.example:1/"}""", 400)]
    [InlineData("/v1/device/begin", """{"redirect_url":"http://127.0.0.1@elsewhere.example/"}""", 400)]
    [InlineData("/v1/device/begin", """{"redirect_url":"http://user@127.0.0.1:1/"}""", 400)]
    [InlineData("/v1/device/begin", """{"redirect_url":"javascript:alert(1)"}""", 400)]
    [InlineData("/v1/other", "{}", 404)]
    public async Task What_makes_no_sense_is_refused_with_a_sentence(string path, string body, int status)
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var answer = await issuer.AskAsync(path, body);

        Assert.Equal(status, answer.Status);
        Assert.EndsWith(".", Text(answer.Json, "error"), StringComparison.Ordinal);
        Assert.False(File.Exists(issuer.RedemptionsPath));
    }

    [Fact]
    public async Task A_body_that_is_not_called_JSON_is_refused()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();

        Assert.Equal(415, (await issuer.AskAsync("/v1/device/begin", "{}", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await issuer.GetAsync("/v1/device/begin")).StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_refused_with_a_sentence()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var body = $$"""{"invite_code":"{{new string('x', IssuerEndpoint.BodyBytesMax)}}"}""";

        var (status, answer) = await issuer.AskAsync("/v1/device/begin", body);
        Assert.Equal((413, "The body is too long: at most 16 KiB are read."), (status, Text(answer, "error")));
        var page = await issuer.AnswerAsync("AAAA-AAAA", "confirm", body);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, page.StatusCode);
        Assert.Contains("at most 16 KiB are read", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var statuses = new List<int>();
        for (var guess = 0; guess < 70; guess++)
        {
            statuses.Add((await issuer.AskAsync("/v1/license/issue", $$"""{"invite_code":"guess-{{guess}}","email":"a@b"}""")).Status);
        }

        Assert.Equal(60, statuses.Count(status => status == 403));
        Assert.Equal(429, statuses[^1]);
        issuer.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(403, (await issuer.AskAsync("/v1/license/issue", """{"invite_code":"guess-again","email":"a@b"}""")).Status);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_each_address_has_tries_of_its_own()
    {
        await using var issuer = await IssuerUnderTest.StartAsync(isBehindProxy: true);
        const string Guess = """{"invite_code":"guess-again","email":"a@b"}""";
        for (var guess = 0; guess < 60; guess++)
        {
            await issuer.AskAsync("/v1/license/issue", Guess, from: "203.0.113.7");
        }

        Assert.Equal(429, (await issuer.AskAsync("/v1/license/issue", Guess, from: "203.0.113.7")).Status);
        Assert.Equal(429, (await issuer.AskAsync("/v1/license/issue", Guess, from: "198.51.100.1, 203.0.113.7")).Status);
        Assert.Equal(403, (await issuer.AskAsync("/v1/license/issue", Guess, from: "203.0.113.8")).Status);
        Assert.Equal(200, (await issuer.AskAsync("/v1/device/begin", "{}", from: "203.0.113.8")).Status);
    }

    [Fact]
    public async Task Who_is_no_trusted_proxy_cannot_name_another_address_for_each_try()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        for (var guess = 0; guess < 60; guess++)
        {
            await issuer.AskAsync("/v1/device/begin", "{}", from: $"203.0.113.{guess}");
        }

        Assert.Equal(429, (await issuer.AskAsync("/v1/device/begin", "{}", from: "203.0.113.200")).Status);
    }

    [Fact]
    public async Task One_network_of_IPv6_is_one_guesser()
    {
        await using var issuer = await IssuerUnderTest.StartAsync(isBehindProxy: true);
        for (var guess = 0; guess < 60; guess++)
        {
            await issuer.AskAsync("/v1/device/begin", "{}", from: $"2001:db8:1:1::{guess:x}");
        }

        Assert.Equal(429, (await issuer.AskAsync("/v1/device/begin", "{}", from: "2001:db8:1:1:ffff::1")).Status);
        Assert.Equal(200, (await issuer.AskAsync("/v1/device/begin", "{}", from: "2001:db8:1:2::1")).Status);
    }

    /// <summary>All of them come from one address, as they do through a proxy that names nobody.</summary>
    [Fact]
    public async Task Polls_for_nothing_keep_no_login_from_its_license()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", $$"""{"invite_code":"{{IssuerUnderTest.Trial}}"}""");
        var strange = new List<int>();
        for (var poll = 0; poll < 620; poll++)
        {
            strange.Add((await issuer.AskAsync("/v1/device/poll", $$"""{"poll_token":"guess-{{poll}}"}""")).Status);
        }

        Assert.Equal(600, strange.Count(status => status == 200));
        Assert.Equal(429, strange[^1]);
        await issuer.AnswerAsync(Text(begun, "user_code"), "confirm");
        Assert.Equal("ok", Text((await PollAsync(issuer, begun)).Json, "status"));
    }

    [Fact]
    public async Task A_login_that_polls_without_end_is_slowed_down_and_no_other_is()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, hasty) = await issuer.AskAsync("/v1/device/begin", "{}");
        var (_, other) = await issuer.AskAsync("/v1/device/begin", "{}");
        var statuses = new List<int>();
        for (var poll = 0; poll < 70; poll++)
        {
            statuses.Add((await PollAsync(issuer, hasty)).Status);
        }

        Assert.Equal(60, statuses.Count(status => status == 200));
        Assert.Equal(429, statuses[^1]);
        Assert.Equal(200, (await PollAsync(issuer, other)).Status);
        issuer.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await PollAsync(issuer, hasty)).Status);
    }

    [Fact]
    public async Task The_page_carries_no_script_of_anybodys()
    {
        await using var issuer = await IssuerUnderTest.StartAsync();
        var (_, begun) = await issuer.AskAsync("/v1/device/begin", """{"redirect_url":"http://127.0.0.1:4711/callback?state=1"}""");
        var page = await issuer.GetAsync(new Uri(Text(begun, "authorize_url")));
        var strange = await issuer.GetAsync("/authorize?code=%3Cscript%3Ealert(1)%3C/script%3E");

        Assert.Equal("default-src 'none'; form-action 'self' http://127.0.0.1:4711; base-uri 'none'; frame-ancestors 'none'", page.Headers.GetValues("content-security-policy").Single());
        Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        Assert.Equal("nosniff", page.Headers.GetValues("x-content-type-options").Single());
        Assert.Equal(HttpStatusCode.NotFound, strange.StatusCode);
        Assert.Contains("default-src 'none'", strange.Headers.GetValues("content-security-policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", await strange.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_put_into_a_page_is_escaped()
    {
        var login = new PendingLogin("<b>\"'&", "t", null, null, Device, null, default);
        var page = AuthorizePage.Ask(login, new Invite("c", "<i>", ["<u>"], TimeSpan.FromDays(1), 1, null), "<p>no</p>");

        Assert.DoesNotMatch("<(i|u)>|<p>no|<b>\"", page);
        Assert.Contains("&lt;b&gt;&quot;&#39;&amp;", page, StringComparison.Ordinal);
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static Task<(int Status, JsonElement Json)> PollAsync(IssuerUnderTest issuer, JsonElement begun) =>
        issuer.AskAsync("/v1/device/poll", $$"""{"poll_token":"{{Text(begun, "poll_token")}}"}""");
}
