using System.Text;
using System.Text.Json;
using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Licenses;
using Ccp.Pricing;
using Ccp.Usage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Shared;

/// <summary>A real till on a real store in a directory of its own, a clock that the test moves, and the administration API over both.</summary>
internal sealed class TillUnderTest : IAsyncDisposable
{
    private const string MasterKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly DataDirectory _data;
    private Switchboard? _board;

    static TillUnderTest() => SQLitePCL.Batteries_V2.Init();

    private TillUnderTest(DataDirectory data, string toml)
    {
        _data = data;
        (Till, License, Api) = Open(toml);
    }

    public ManualClock Clock { get; } = new();

    /// <summary>What the configuration file holds by now, for when it is read again.</summary>
    public string FileText { get; set; } = "";

    public string Home => _data.Path;

    public Switchboard Board => _board!;

    public Till Till { get; private set; }

    /// <summary>Trusts what <see cref="IssuedLicense"/> issues.</summary>
    public CurrentLicense License { get; private set; }

    public AdminApi Api { get; private set; }

    /// <param name="toml">The configuration; empty for the defaults.</param>
    public static TillUnderTest WithConfig(string toml = "") => new(DataDirectory.At(Directory.CreateTempSubdirectory("ccp-till-").FullName), toml);

    /// <summary>Closes the store and opens it again, as a restart does, perhaps with another configuration.</summary>
    /// <param name="whileClosed">What happens to the files meanwhile.</param>
    public async Task RestartAsync(string toml = "", Action? whileClosed = null)
    {
        await CloseAsync();
        whileClosed?.Invoke();
        (Till, License, Api) = Open(toml);
    }

    /// <summary>Opens the store once more, which must fail.</summary>
    public void OpenOnce() => Open("");

    /// <summary>Asks as whoever may read the data directory.</summary>
    public Task<Answer> AskAsync(string method, string path, string body = "") => AskAsync(new AdminActor(null, IsHostOperator: true), method, path, body);

    /// <summary>Asks as the holder of a token; null asks without one.</summary>
    public Task<Answer> AskWithAsync(string? token, string method, string path, string body = "")
    {
        Till.Users.Identify(token).Allows(out var user, out _);
        return AskAsync(new AdminActor(user, IsHostOperator: false), method, path, body);
    }

    /// <returns>The new user's token.</returns>
    public async Task<string> AddUserAsync(string name, string more = "")
    {
        var answer = await AskAsync("POST", "/admin/users", $$"""{"username":"{{name}}"{{more}}}""");
        return answer.Status == 201 ? answer.Json.GetProperty("token").GetString()! : throw new InvalidOperationException(answer.Text);
    }

    public User User(string name) => Till.Users.FindByName(name) ?? throw new InvalidOperationException($"There is no user {name}.");

    /// <summary>A call that was served and charged, as settlement writes it.</summary>
    public async Task ChargeAsync(string name, string charge, string id, string model = "claude-sonnet-4-5", string? session = null, TokenUsage? tokens = null)
    {
        var user = User(name);
        var amount = NanoUsd.TryParse(charge, out var parsed) ? parsed : throw new FormatException(charge);
        var record = new RequestRecord(
            id,
            Clock.GetUtcNow(),
            user.AccountId,
            user.Id,
            model,
            AnsweredModel: model,
            PricedAs: model,
            Lane: "anthropic",
            Status: 200,
            Reason: "completed",
            IsStream: true,
            IsEstimated: false,
            tokens ?? new TokenUsage(1, 20, 300, 4_000, 50_000),
            WebSearches: 0,
            Cost: new NanoUsd(amount.Value / 2),
            Charge: amount,
            session,
            Agent: null,
            UpstreamRequestId: "req_upstream",
            TimeSpan.FromMilliseconds(1500),
            TimeSpan.FromMilliseconds(250),
            Rates: "{}");
        await Till.Writes.WriteAsync(database =>
        {
            Till.Ledger.Post(database, user.AccountId, Ccp.Ledger.EntryKind.Charge, -amount, id, "ccp", model);
            record.Insert(database);
            return true;
        });
        Till.Ledger.Count(user.AccountId, -amount);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_data.Path, recursive: true);
    }

    private async Task<Answer> AskAsync(AdminActor actor, string method, string path, string body)
    {
        var (bare, query) = path.Split('?') is [var before, var after] ? (before, after) : (path, "");
        var values = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var answer = await Api.HandleAsync(new AdminRequest(method, bare, values, Encoding.UTF8.GetBytes(body), actor));
        return new Answer(answer.Status, Encoding.UTF8.GetString(answer.Body), answer.RetryAfterSeconds);
    }

    private (Till Till, CurrentLicense License, AdminApi Api) Open(string toml)
    {
        var result = ConfigReader.Read("config.toml", Encoding.UTF8.GetBytes(toml), _ => null, SecretFile.Read);
        var config = result.Config ?? throw new InvalidOperationException(string.Join('\n', result.Problems));
        var till = Till.Open(config, _data, MasterKey, Clock, NullLogger.Instance);
        var license = new CurrentLicense(new LicenseSource(_data.Resolve(config.License.Path), _ => null), IssuedLicense.Keys, Clock, NullLogger.Instance);
        _board = new Switchboard(till, _data, TrustedRoots.Find(null, null, null), license, result, () => ConfigReader.Read("config.toml", Encoding.UTF8.GetBytes(FileText), _ => null, SecretFile.Read));
        return (till, license, new AdminApi(till, license, _board));
    }

    private async Task CloseAsync()
    {
        Api.Dispose();
        License.Dispose();
        _board!.Dispose();
        await Till.DisposeAsync();
    }
}

/// <summary>What the administration API said.</summary>
internal sealed record Answer(int Status, string Text, int? RetryAfterSeconds = null)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public string Error => Json.GetProperty("error").GetString()!;

    /// <summary>The digits of a number, as they were sent.</summary>
    public string Digits(string member) => Json.GetProperty(member).GetRawText();
}
