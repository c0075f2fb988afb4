using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ccp.Crash.Audit;
using Ccp.Crash.Calls;

namespace Ccp.Crash.Servers;

/// <summary>One data directory, the users in its configuration, and the ccp that runs on it at the moment. A kill ends the process; the house stands.</summary>
internal sealed class House : IAsyncDisposable
{
    private readonly string _ccp;
    private readonly Dictionary<string, string> _environment;
    private readonly HttpClient _admin;
    private HttpClient? _client;
    private CcpProcess? _process;
    private Uri? _address;

    /// <param name="ccp">The executable.</param>
    /// <param name="environment">Beside what every house sets.</param>
    public House(string ccp, Uri upstream, int users, IReadOnlyDictionary<string, string> environment)
    {
        _ccp = Path.GetFullPath(ccp);
        Home = Directory.CreateTempSubdirectory("ccp-crash-").FullName;
        Users = [.. Enumerable.Range(1, users).Select(number => $"user-{number}")];
        _environment = new(environment) { ["CCP_HOME"] = Home, ["DEFAULT_ANTHROPIC_API_KEY"] = "key-of-the-crash-tests" };
        File.WriteAllText(ConfigPath, Toml(upstream));
        _admin = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero, ConnectCallback = ConnectToSocketAsync });
    }

    public string Home { get; }

    public IReadOnlyList<string> Users { get; }

    /// <summary>Kept, for a person to look into, when something was wrong.</summary>
    public bool IsKept { get; set; }

    public StoreReader Store => new(Path.Combine(Home, "ccp.db"), Path.Combine(Home, "master.key"));

    public CcpProcess Process => _process ?? throw new InvalidOperationException("ccp does not run.");

    private string ConfigPath => Path.Combine(Home, "config.toml");

    /// <exception cref="CcpEndedException">It does not start.</exception>
    public async Task StartAsync()
    {
        StartWithoutWaiting();
        _address = await Process.UntilItListensAsync();

        // The one before goes only now: its last calls notice the kill by themselves.
        _client?.Dispose();
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void StartWithoutWaiting() => _process = CcpProcess.Start(_ccp, ["serve", "--config", ConfigPath], _environment);

    public async Task KillAsync()
    {
        await Process.KillAsync();
        Forget();
    }

    /// <returns>Null when it ended as it should; else what was wrong.</returns>
    public async Task<string?> StopAsync()
    {
        var problem = await Process.StopAsync();
        Forget();
        return problem;
    }

    public Task CallAsync(Call call) => Caller.RunAsync(_client!, _address!, TokenOf(call.User), call);

    /// <returns>True when ccp says that it stands; false when nobody knows.</returns>
    public async Task<bool> TopUpAsync(TopUp topUp)
    {
        try
        {
            using var body = new StringContent($$"""{"amount":{{topUp.Amount}},"reference":"{{topUp.Reference}}"}""", Encoding.UTF8, "application/json");
            using var answer = await _admin.PostAsync(new Uri($"http://localhost/admin/balance/{topUp.User}"), body);
            return answer.IsSuccessStatusCode
                ? true
                : throw new InvalidOperationException($"ccp refused the top-up {topUp.Reference}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return false;
        }
    }

    /// <returns>What ccp says of a user's balance, as JSON: what it holds in memory.</returns>
    public Task<string> BalanceOfAsync(string user) => _admin.GetStringAsync(new Uri($"http://localhost/admin/balance/{user}"));

    public ValueTask DisposeAsync()
    {
        Forget();
        _client?.Dispose();
        _admin.Dispose();
        if (!IsKept)
        {
            Directory.Delete(Home, recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    private static string TokenOf(string user) => $"token-of-{user}-which-is-nobodys-secret";

    private void Forget()
    {
        _process?.Dispose();
        _process = null;
    }

    private async ValueTask<Stream> ConnectToSocketAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Home, "ccp.sock")), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string Toml(Uri upstream)
    {
        var toml = new StringBuilder(
            $"""
            [server]
            listen = "127.0.0.1:0"
            drain = "100ms"
            [billing]
            minimum_topup = "0.01"
            overdraft = "0.02"
            [limits]
            concurrent = 1000
            [[lane]]
            name = "anthropic"
            base_url = "{upstream.AbsoluteUri.TrimEnd('/')}"

            """);
        foreach (var user in Users)
        {
            toml.AppendLine("[[user]]").AppendLine($"name = \"{user}\"").AppendLine($"token_sha256 = \"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(TokenOf(user))))}\"");
        }

        return toml.ToString();
    }
}

/// <param name="Amount">In dollars.</param>
/// <param name="Reference">Makes repeating it harmless: that is how an operator finds out whether it stands.</param>
internal sealed record TopUp(string User, string Amount, string Reference)
{
    /// <summary>Whether ccp has said that it stands.</summary>
    public bool IsConfirmed { get; set; }
}
