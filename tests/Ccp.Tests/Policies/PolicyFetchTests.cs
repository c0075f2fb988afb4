using System.Net;
using System.Net.Sockets;
using System.Text;
using Ccp.Forwarding;
using Ccp.Policies;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Store;

namespace Ccp.Tests.Policies;

/// <summary>Why a policy cannot be fetched is said in the system's words, and never in those of whoever answered.</summary>
public sealed class PolicyFetchTests : IDisposable
{
    private const string Said = "said-by-the-peer";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_said_to_be_the_cause()
    {
        using var tls = UpstreamTls.Create();
        using var other = UpstreamTls.Create();
        await using var publisher = TlsFolder.Serve(_folder.Path, tls.Certificate);
        await File.WriteAllTextAsync(_folder["roots.pem"], other.AuthorityPem, TestContext.Current.CancellationToken);
        var url = new Uri(publisher.Address, "policy.json").AbsoluteUri;

        var words = await WordsAsync(url, TrustedRoots.Find(null, _folder["roots.pem"], null));

        Assert.StartsWith($"{url} cannot be read: no secure connection came about: ", words, StringComparison.Ordinal);
        Assert.Contains("certificate", words, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https", Said + "\r\n\r\n", "no secure connection came about: ")]
    [InlineData("http", Said + " 200 OK\r\n\r\n", "InvalidResponse")]
    [InlineData("http", "HTTP/1.1 200 OK\r\n" + Said + "\r\n\r\n", "InvalidResponse")]
    [InlineData("http", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + Said + "\r\n", "InvalidResponse")]
    [InlineData("http", "HTTP/1.1 200 " + Said + "\r\ncontent-length: 9\r\n\r\n" + Said, "ResponseEnded")]
    public async Task Nothing_that_the_peer_said_is_repeated(string scheme, string answer, string cause)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerAsync(listener, answer.EndsWith(Said, StringComparison.Ordinal) ? answer[..^Said.Length] : answer);

        var words = await WordsAsync($"{scheme}://{listener.LocalEndpoint}/policy.json", TrustedRoots.Find(null, null, null));
        await answering;

        Assert.Contains($"cannot be read: {cause}", words, StringComparison.Ordinal);
        Assert.DoesNotContain(Said, words, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", words, StringComparison.Ordinal);
    }

    private static async Task<string> WordsAsync(string source, TrustedRoots roots)
    {
        using var fetch = new PolicyFetch(source, proxy: null, roots, TimeProvider.System);
        return (await Assert.ThrowsAnyAsync<IOException>(fetch.FetchAsync)).Message;
    }

    private static async Task AnswerAsync(TcpListener listener, string answer)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[4096], 16, throwOnEndOfStream: false, TestContext.Current.CancellationToken);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
        client.Client.Shutdown(SocketShutdown.Send);

        // Until it leaves: a connection that is closed with bytes unread is torn down, and with it what was said.
        try
        {
            await stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // It left at once.
        }
    }
}
