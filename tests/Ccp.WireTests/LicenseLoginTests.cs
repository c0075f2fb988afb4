using System.Net;
using System.Text.RegularExpressions;
using Ccp.Licensing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>The real issuer in one terminal, the real login in another, a person at the issuer's page, and a ccp that serves all the while.</summary>
public sealed partial class LicenseLoginTests : IDisposable
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Invite = "one-license-only";

    private readonly HttpClient _browser = new(new SocketsHttpHandler { UseProxy = false });
    private readonly string _desk = Directory.CreateTempSubdirectory("ccp-issuer-").FullName;

    public void Dispose()
    {
        _browser.Dispose();
        Directory.Delete(_desk, recursive: true);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task A_login_that_is_confirmed_opens_the_second_lane_without_a_restart(bool isLoopback, bool isInviteStated)
    {
        Assert.SkipWhen(CcpUnderTest.DevPath is null, "CCP_DEV_UNDER_TEST names no dev build, and no other trusts the key of the tests.");
        var keys = await KeyAsync();
        await using var anthropic = await ServeAsync("anthropic");
        await using var zai = await ServeAsync("zai");
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.LicenseKeys = keys;
            setup.Environment["ZAI_API_KEY"] = "zai-key-that-must-stay-inside";
            setup.More = $"[[lane]]\nname = \"zai\"\nbase_url = \"{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}\"";
        });
        Assert.Equal("anthropic", await AskAsync(ccp));

        await using var issuer = DevCommand.Start(_desk, null, "license", "issuer", "--key", "license.key", "--invites", "invites.toml", "--listen", "127.0.0.1:0");
        var address = await issuer.SaysAsync("listening on ");
        await using var login = DevCommand.Start(ccp.Home, keys, ["license", "login", "--issuer", address, "--device", .. isInviteStated ? new[] { "--invite", Invite } : [], .. isLoopback ? new[] { "--loopback" } : []]);
        var url = (await login.SaysAsync("Open ")).Split(' ')[0];
        var code = await login.SaysAsync("and compare the code: ");
        await ConfirmAsync(new Uri(url), code);

        var (exit, printed) = await login.EndAsync();
        Assert.True(exit == 0, printed);
        Assert.Contains("edition   pro", printed, StringComparison.Ordinal);
        Assert.Contains("(the license is for this host only)", printed, StringComparison.Ordinal);
        Assert.Equal("pro", (await ccp.AdministerAsync(HttpMethod.Get, "/admin/license")).Json.GetProperty("edition").GetString());
        Assert.Equal("zai", await AskAsync(ccp));
        Assert.Contains("Look at your terminal", await _browser.GetStringAsync(new Uri(url)), StringComparison.Ordinal);

        await using var again = DevCommand.Start(ccp.Home, keys, "license", "login", "--issuer", address, "--invite", Invite);
        Assert.Equal((1, "The issuer says: This invite has been redeemed as often as it may be. Ask whoever gave it to you for another."), await again.EndAsync());
        var (issuerExit, issued) = await issuer.TerminateAsync();
        Assert.Equal(0, issuerExit);
        Assert.Contains("redemption 1 of 1 of its invite", issued, StringComparison.Ordinal);
        Assert.DoesNotContain(Invite, issued + ccp.Log, StringComparison.Ordinal);
    }

    /// <summary>Makes a key and an invite for one license.</summary>
    private async Task<IReadOnlyDictionary<string, byte[]>> KeyAsync()
    {
        var invites = Path.Combine(_desk, "invites.toml");
        File.WriteAllText(invites, $"[[invite]]\ncode = \"{Invite}\"\nplan = \"pro\"\nfeatures = [\"zai_offload\"]\nttl_days = 365\nmax_redemptions = 1\n");
        File.SetUnixFileMode(invites, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var keygen = DevCommand.Start(_desk, null, "license", "keygen", "--key", "license.key", "--kid", "wire");
        return TrustedKeys.Parse($"wire={await keygen.SaysAsync("wire=")}");
    }

    /// <summary>Looks at the page, compares the code, fills in what it asks for and presses its button.</summary>
    private async Task ConfirmAsync(Uri url, string code)
    {
        var page = await _browser.GetStringAsync(url);
        Assert.Contains($"the one in your terminal: <b>{code}</b>", page, StringComparison.Ordinal);
        var form = HiddenField().Matches(page).ToDictionary(field => field.Groups["name"].Value, field => field.Groups["value"].Value);
        form["answer"] = "confirm";
        if (page.Contains("<input name=\"invite\"", StringComparison.Ordinal))
        {
            form["invite"] = Invite;
        }

        using var answer = await _browser.PostAsync(new Uri(url, FormAction().Match(page).Groups["url"].Value), new FormUrlEncodedContent(form));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("You can close this page", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <returns>Which lane answered.</returns>
    private static async Task<string> AskAsync(CcpUnderTest ccp)
    {
        using var answer = await ccp.AskAsync(stream: false, model: Haiku);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return text.Contains("this is zai", StringComparison.Ordinal) ? "zai" : "anthropic";
    }

    private static Task<ScriptedUpstreamServer> ServeAsync(string name) => ScriptedUpstreamServer.StartAsync(_ => Answers.Message(Haiku, $"this is {name}", new Usage(10, 20)));

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]+)\" value=\"(?<value>[^\"]*)\">")]
    private static partial Regex HiddenField();

    [GeneratedRegex("<form method=\"post\" action=\"(?<url>[^\"]+)\">")]
    private static partial Regex FormAction();
}
