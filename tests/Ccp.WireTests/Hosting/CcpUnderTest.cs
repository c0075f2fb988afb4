using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Microsoft.Data.Sqlite;

namespace Ccp.WireTests.Hosting;

/// <summary>A real ccp on a real socket with a store of its own: in this process, or, with CCP_UNDER_TEST set, the native executable it names.</summary>
internal abstract class CcpUnderTest : IAsyncDisposable
{
    public const string Alice = "0a6bf2b8-54c0-4a5b-9d2c-6f0f5a0c1a11";
    public const string TeamKey = "team-key-that-must-stay-inside";
    public const string Model = "claude-sonnet-5-5";

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        MaxConnectionsPerServer = 2_000,
        UseCookies = false,
        AllowAutoRedirect = false,

        // A client that leaves is gone at once: it does not read on in case the connection can be used again.
        ResponseDrainTimeout = TimeSpan.Zero,

        // One character a byte.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    protected CcpUnderTest(CcpSetup setup)
    {
        Setup = setup;
        Home = setup.Home ?? Directory.CreateTempSubdirectory("ccp-wire-").FullName;
        Directory.CreateDirectory(Home);
        File.WriteAllText(ConfigPath, setup.Toml);
    }

    public static string? NativePath => Environment.GetEnvironmentVariable("CCP_UNDER_TEST");

    /// <summary>A dev build of the same, which takes the keys of licenses from its environment.</summary>
    public static string? DevPath => Environment.GetEnvironmentVariable("CCP_DEV_UNDER_TEST");

    public static bool IsNative => NativePath is not null;

    public CcpSetup Setup { get; }

    public string Home { get; }

    public int Port => Address!.Port;

    public StoreView Store => new(Path.Combine(Home, "ccp.db"));

    protected string ConfigPath => Path.Combine(Home, "config.toml");

    /// <summary>Such as <c>http://127.0.0.1:40123/</c>.</summary>
    public Uri? Address { get; protected set; }

    /// <summary>What it has written to its process log so far.</summary>
    public abstract string Log { get; }

    /// <param name="balance">What Alice has, in dollars; 0 for no top-up.</param>
    public static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer upstream, string balance = "50", Action<CcpSetup>? change = null) =>
        StartAsync(upstream.BaseUrl, balance, change);

    public static async Task<CcpUnderTest> StartAsync(Uri upstream, string balance = "50", Action<CcpSetup>? change = null)
    {
        var setup = new CcpSetup { UpstreamUrl = upstream };
        change?.Invoke(setup);
        Assert.SkipWhen(IsNative && setup.LicenseKeys is not null && DevPath is null, "CCP_DEV_UNDER_TEST names no dev build, and no other trusts the key of the tests.");
        CcpUnderTest ccp = IsNative ? new NativeCcp(setup) : new InProcessCcp(setup);
        await ccp.RunAsync();
        if (balance != "0")
        {
            await ccp.TopUpAsync("alice", balance);
        }

        return ccp;
    }

    /// <summary>Starts it, again if need be, on the same store.</summary>
    public abstract Task RunAsync();

    /// <summary>Writes the configuration as <see cref="Setup"/> has it now, in one step, as a careful operator does.</summary>
    public void RewriteConfig()
    {
        File.WriteAllText(ConfigPath + ".new", Setup.Toml);
        File.Move(ConfigPath + ".new", ConfigPath, overwrite: true);
    }

    /// <summary>As SIGTERM does: open calls finish, everything is written.</summary>
    public abstract Task StopAsync();

    public abstract Task TopUpAsync(string user, string usd);

    /// <summary>From here on no hold can be written, until <see cref="MendStore"/>.</summary>
    public void BreakStore() => AlterStore("ALTER TABLE hold RENAME TO hold_elsewhere");

    public void MendStore() => AlterStore("ALTER TABLE hold_elsewhere RENAME TO hold");

    private void AlterStore(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(Home, "ccp.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Asks the administration API over the socket in the data directory, as the command line does.</summary>
    /// <param name="host">The name that ccp is called by.</param>
    public async Task<(int Status, JsonElement Json)> AdministerAsync(HttpMethod method, string path, string? body = null, string host = "localhost")
    {
        var (status, text) = await AskOnSocketAsync(method, path, body, host);
        return (status, JsonDocument.Parse(text).RootElement);
    }

    /// <summary>What <c>/metrics</c> says once no call is in flight any more: the last bytes of a call arrive before it is counted.</summary>
    public async Task<MetricsText> MetricsAtRestAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var metrics = await MetricsAsync();
            if (metrics["ccp_calls_in_flight"] == 0)
            {
                return metrics;
            }

            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async Task<MetricsText> MetricsAsync()
    {
        var (status, text) = await AskOnSocketAsync(HttpMethod.Get, "/metrics", body: null, "localhost");
        Assert.Equal(200, status);
        return new MetricsText(text);
    }

    private async Task<(int Status, string Text)> AskOnSocketAsync(HttpMethod method, string path, string? body, string host)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Home, "ccp.sock")), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var request = new HttpRequestMessage(method, $"http://{host}{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public HttpRequestMessage Request(HttpMethod method, string target, string? token = Alice, string? body = null)
    {
        var request = new HttpRequestMessage(method, new Uri(Address + target.TrimStart('/'), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("content-type", "application/json");
        }

        return request;
    }

    /// <summary>Sends and returns with the head of the answer.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation = default) =>
        _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);

    /// <summary>One call of the Messages API, as Claude Code makes it.</summary>
    public Task<HttpResponseMessage> AskAsync(bool stream = true, string model = Model, string? token = Alice, string text = "hello", long maxTokens = 1024, CancellationToken cancellation = default) =>
        SendAsync(Request(HttpMethod.Post, "/v1/messages?beta=true", token, Body(stream, model, text, maxTokens)), cancellation);

    public static string Body(bool stream = true, string model = Model, string text = "hello", long maxTokens = 1024) =>
        $$"""{"model":"{{model}}","max_tokens":{{maxTokens.ToString(CultureInfo.InvariantCulture)}},"messages":[{"role":"user","content":"{{text}}"}],"stream":{{(stream ? "true" : "false")}}}""";

    public virtual async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await StopAsync();
        if (Setup.Home is null)
        {
            Directory.Delete(Home, recursive: true);
        }
    }
}

/// <summary>What a test wants of its ccp. Starts as: one upstream, Alice with a token, every amount a permitted top-up.</summary>
internal sealed class CcpSetup
{
    public required Uri UpstreamUrl { get; set; }

    public string Listen { get; set; } = "\"127.0.0.1:0\"";

    public string Drain { get; set; } = "5s";

    public string Server { get; set; } = "";

    public string Billing { get; set; } = "";

    /// <summary>Out of the way unless a test is about them.</summary>
    public string Limits { get; set; } = "concurrent = 100000";

    public string Auth { get; set; } = "";

    public string Lane { get; set; } = "";

    public string AliceKeys { get; set; } = "";

    public string More { get; set; } = "";

    public Dictionary<string, string> Environment { get; } = new() { ["DEFAULT_ANTHROPIC_API_KEY"] = CcpUnderTest.TeamKey };

    /// <summary>The data directory, which stays its giver's to delete; null for one of its own.</summary>
    public string? Home { get; set; }

    /// <summary>Native only: it starts in its data directory, and the system may write cores of any size there.</summary>
    public bool MayDumpCore { get; set; }

    /// <summary>The keys whose licenses it trusts, which natively takes a dev build; null for those that it was built with.</summary>
    public IReadOnlyDictionary<string, byte[]>? LicenseKeys { get; set; }

    /// <summary>In process it is ccp's own; the native executable's runs, and is ahead by what this one is moved. Null for the system's.</summary>
    public ManualClock? Clock { get; set; }

    public string Toml =>
        $"""
        [server]
        listen = {Listen}
        drain = "{Drain}"
        {Server}
        [billing]
        minimum_topup = "0.000000001"
        {Billing}
        [limits]
        {Limits}
        [auth]
        {Auth}
        [[lane]]
        name = "anthropic"
        base_url = "{UpstreamUrl.AbsoluteUri.TrimEnd('/')}"
        {Lane}
        [[user]]
        name = "alice"
        token_sha256 = "{HashOf(CcpUnderTest.Alice)}"
        {AliceKeys}
        {More}
        """;

    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    public static NanoUsd Dollars(string text) => NanoUsd.TryParse(text, out var amount) ? amount : throw new ArgumentException(text);
}
