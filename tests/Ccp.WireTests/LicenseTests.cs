using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

public sealed class LicenseTests
{
    [Fact]
    public async Task Without_a_license_the_community_edition_serves()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(10, 20)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        Assert.Equal(HttpStatusCode.OK, (await ccp.AskAsync(stream: false)).StatusCode);
        Assert.Equal("community: there is no license", (await AskAsync(ccp, HttpMethod.Get, "/readyz")).GetProperty("license").GetString());
        Assert.Contains("Community edition: there is no license", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_license_stops_nothing_and_shows_nothing_of_itself()
    {
        var pack = IssuedLicense.Tampered(IssuedLicense.Pack(TimeProvider.System.GetUtcNow()));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(10, 20)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Environment["CC_LICENSE_PACK"], setup.LicenseKeys) = (pack, IssuedLicense.Keys));

        Assert.Equal(HttpStatusCode.OK, (await ccp.AskAsync(stream: false)).StatusCode);
        Assert.Matches("Community edition: (the signature is not over this license|the license is signed with a key that this build of ccp does not trust)", ccp.Log);
        Assert.DoesNotContain(IssuedLicense.Subject, ccp.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("signature\":", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_build_takes_no_keys_from_the_environment_and_says_so()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(10, 20)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Environment["CCP_LICENSE_PUBKEY_B64"] = IssuedLicense.Key.PublicText);

        Assert.Contains("CCP_LICENSE_PUBKEY_B64 is ignored: this is a release build", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_server_takes_up_an_activation_and_a_deactivation_at_once()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(10, 20)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.LicenseKeys = IssuedLicense.Keys);
        var pack = IssuedLicense.Pack(TimeProvider.System.GetUtcNow());

        Assert.Equal("pro", (await AskAsync(ccp, HttpMethod.Post, "/admin/license", $"{{\"pack\":\"{JsonEncodedText.Encode(pack)}\"}}")).GetProperty("edition").GetString());
        Assert.StartsWith("pro until ", (await AskAsync(ccp, HttpMethod.Get, "/readyz")).GetProperty("license").GetString(), StringComparison.Ordinal);

        await ccp.StopAsync();
        await ccp.RunAsync();
        Assert.Equal("pro", (await AskAsync(ccp, HttpMethod.Get, "/admin/license")).GetProperty("edition").GetString());

        await AskAsync(ccp, HttpMethod.Delete, "/admin/license");
        Assert.Equal("community", (await AskAsync(ccp, HttpMethod.Get, "/admin/license")).GetProperty("edition").GetString());
        Assert.Equal(HttpStatusCode.OK, (await ccp.AskAsync(stream: false)).StatusCode);
        Assert.Contains("The license was activated, by host", ccp.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(IssuedLicense.Subject, ccp.Log, StringComparison.Ordinal);
    }

    /// <summary>Over the unix socket, as the command line does.</summary>
    private static async Task<JsonElement> AskAsync(CcpUnderTest ccp, HttpMethod method, string path, string? body = null)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(ccp.Home, "ccp.sock")), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var request = new HttpRequestMessage(method, $"http://localhost{path}") { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }
}
