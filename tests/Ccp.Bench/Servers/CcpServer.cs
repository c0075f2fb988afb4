using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ccp.Bench.Client;
using Ccp.Bench.Machine;

namespace Ccp.Bench.Servers;

/// <summary>A native ccp with a store of its own and two users: one who pays, so that each call waits for its hold, and an admin who does not.</summary>
internal sealed class CcpServer : IDisposable
{
    private const string PayingUser = "paying";
    private const string FreeUser = "free";
    private const string PayingToken = "4f0c7a52-8f7c-4c38-9a55-0f4f9c1f2d11";
    private const string FreeToken = "5a1d8b63-9a8d-4d49-8b66-1a5a0d2a3e22";

    private static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(10);

    private readonly CallConnection _admin;

    /// <param name="home">Its data directory.</param>
    public CcpServer(string home, ChildProcess process)
    {
        Process = process;
        _admin = new CallConnection(new UnixDomainSocketEndPoint(Path.Combine(home, "ccp.sock")));
        Paying = new Target($"{process.Name}, ledger on", process.Address, PayingToken);
        Free = new Target($"{process.Name}, ledger off", process.Address, FreeToken);
    }

    public ChildProcess Process { get; }

    public Target Paying { get; }

    public Target Free { get; }

    public static string Toml(Uri upstream) =>
        $"""
        [server]
        listen = "127.0.0.1:0"
        drain = "1s"
        [limits]
        concurrent = 100000
        [[lane]]
        name = "anthropic"
        base_url = "{upstream.AbsoluteUri.TrimEnd('/')}"
        [[user]]
        name = "{PayingUser}"
        token_sha256 = "{HashOf(PayingToken)}"
        [[user]]
        name = "{FreeUser}"
        token_sha256 = "{HashOf(FreeToken)}"
        billing = false
        admin = true
        """;

    public void TopUp() => Ask($"POST /admin/balance/{PayingUser}", """{"amount":100000}""");

    /// <summary>What is wrong with the books now that no call is under way: money still held, an entry that was changed, a call that was not recorded.</summary>
    public IEnumerable<string> ProblemsOfBooks()
    {
        // The last settlements are written after the last answers.
        var until = Clock.Now + Clock.Nanoseconds(SettlesWithin);
        while (Held() != 0 && Clock.Now < until)
        {
            Thread.Sleep(20);
        }

        if (Held() is not 0 and var held)
        {
            yield return $"{Process.Name} still holds {held.ToString(CultureInfo.InvariantCulture)} USD though every call has ended";
        }

        using var verdict = JsonDocument.Parse(Ask("GET /admin/ledger/verify"));
        if (!verdict.RootElement.GetProperty("ok").GetBoolean())
        {
            yield return $"the ledger of {Process.Name} does not add up: {verdict.RootElement}";
        }

        using var usage = JsonDocument.Parse(Ask("GET /admin/usage"));
        foreach (var (user, target) in new[] { (PayingUser, Paying), (FreeUser, Free) })
        {
            var recorded = usage.RootElement.TryGetProperty(user, out var own) ? own.GetProperty("requests").GetInt64() : 0;
            if (recorded != target.Answered)
            {
                yield return $"{target.Name}: {target.Answered} calls were answered and {recorded} are recorded";
            }
        }
    }

    public void Dispose()
    {
        _admin.Dispose();
        Process.Dispose();
    }

    private decimal Held()
    {
        using var balance = JsonDocument.Parse(Ask($"GET /admin/balance/{PayingUser}"));
        return balance.RootElement.GetProperty("held").GetDecimal();
    }

    /// <summary>Over the unix socket, where the owner of the process needs no token.</summary>
    private string Ask(string line, string body = "")
    {
        _admin.Call(Encoding.UTF8.GetBytes($"{line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
        return _admin.Status == 200 ? _admin.BodyStart : throw new BenchFailedException($"{Process.Name} answered {line} with {_admin.Status}: {_admin.BodyStart}");
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
