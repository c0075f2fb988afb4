using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.Cli;
using Ccp.Issuing;
using Ccp.Licensing;
using Ccp.Listening;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Issuing;

/// <summary>A real issuer on a port of its own, invites in a file, a clock that the test moves; and a browser and a login to use it with.</summary>
internal sealed class IssuerUnderTest : IAsyncDisposable
{
    public const string Trial = "trial-invite";
    public const string Once = "single-invite";
    public const string Past = "expired-invite";

    private const string Invites =
        $"""
        [[invite]]
        code = "{Trial}"
        plan = "trial"
        features = ["zai_offload"]
        ttl_days = 14
        max_redemptions = 5
        [[invite]]
        code = "{Once}"
        plan = "pro"
        ttl_days = 365
        max_redemptions = 1
        [[invite]]
        code = "{Past}"
        plan = "pro"
        ttl_days = 365
        max_redemptions = 1
        expires_at = 2026-11-22
        """;

    private readonly TempFolder _folder = new();
    private readonly Redemptions _redemptions;
    private readonly SmallServer _server;
    private readonly HttpClient _browser = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });

    private IssuerUnderTest(SigningKey key, IReadOnlyList<IPNetwork> trustedProxies)
    {
        _folder.WritePrivate("invites.toml", Invites);
        _redemptions = new Redemptions(RedemptionsPath);
        var issuer = new Issuer(key, new InviteBook(_folder["invites.toml"], Log), _redemptions, Clock, Log);
        _server = LicenseIssuerCommand.Serve(issuer, new IPEndPoint(IPAddress.Loopback, 0), null, trustedProxies, Clock, Log);
    }

    public ManualClock Clock { get; } = new();

    public LogLines Log { get; } = new();

    public string RedemptionsPath => _folder["redeemed.json"];

    /// <summary>What the person at the terminal has been shown.</summary>
    public List<string> Shown { get; } = [];

    /// <param name="key">Null: the one that the login trusts.</param>
    /// <param name="isBehindProxy">True: whom the test names as the caller is believed.</param>
    public static async Task<IssuerUnderTest> StartAsync(SigningKey? key = null, bool isBehindProxy = false)
    {
        var issuer = new IssuerUnderTest(key ?? IssuedLicense.Key, isBehindProxy ? [IPNetwork.Parse("127.0.0.1/32")] : []);
        await issuer._server.StartAsync();
        return issuer;
    }

    public async Task<byte[]> LoginAsync(DeviceBeginRequest request, bool isLoopback = false, Uri? address = null)
    {
        using var client = new IssuerClient(address ?? _server.Address, new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }, Clock);
        var login = new LicenseLogin(client, ProblemOf, line => { lock (Shown) { Shown.Add(line); } }, Clock);
        return isLoopback ? await login.WithLoopbackAsync(request) : await login.WithDeviceCodeAsync(request);
    }

    public string? ProblemOf(byte[] pack) => LicensePack.Verify(pack, IssuedLicense.Keys, Clock.GetUtcNow()).Problem?.ToString();

    /// <summary>Waits until the login shows where to go.</summary>
    public async Task<(Uri Url, string Code)> ShownAsync()
    {
        await Waiting.UntilAsync(() => { lock (Shown) { return Shown.Count == 3; } });
        return (new Uri(Shown[0].Split(' ')[1]), Shown[1].Split(' ')[^1]);
    }

    /// <summary>Moves the clock whenever the login waits for its next question, until the login has ended.</summary>
    /// <param name="intervalSeconds">As the login was told.</param>
    public async Task<T> EndAsync<T>(Task<T> login, int intervalSeconds = IssuerEndpoint.IntervalSeconds)
    {
        var interval = TimeSpan.FromSeconds(intervalSeconds);
        await Waiting.UntilAsync(() =>
        {
            if (!login.IsCompleted && Clock.HasTimerDueIn(interval))
            {
                Clock.Advance(interval);
            }

            return login.IsCompleted;
        });
        return await login;
    }

    /// <param name="from">What <c>x-forwarded-for</c> says; null: it is not sent.</param>
    public async Task<(int Status, JsonElement Json)> AskAsync(string path, string body, string type = "application/json", string? from = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_server.Address, path)) { Content = new StringContent(body, Encoding.UTF8, type) };
        if (from is not null)
        {
            request.Headers.Add("x-forwarded-for", from);
        }

        using var response = await _browser.SendAsync(request);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return ((int)response.StatusCode, document.RootElement.Clone());
    }

    public Task<HttpResponseMessage> GetAsync(Uri url) => _browser.GetAsync(url);

    public Task<HttpResponseMessage> GetAsync(string path) => _browser.GetAsync(new Uri(_server.Address, path));

    /// <summary>Presses a button on the page.</summary>
    public Task<HttpResponseMessage> AnswerAsync(string code, string answer, string? invite = null)
    {
        var form = new Dictionary<string, string> { ["code"] = code, ["answer"] = answer };
        if (invite is not null)
        {
            form["invite"] = invite;
        }

        return _browser.PostAsync(new Uri(_server.Address, "authorize"), new FormUrlEncodedContent(form));
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        using var cut = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _server.StopAsync(cut.Token);
        _server.Dispose();
        _redemptions.Dispose();
        _folder.Dispose();
    }
}
