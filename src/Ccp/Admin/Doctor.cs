using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Ledger;
using Ccp.Licenses;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Admin;

/// <summary>Looks at everything that can be wrong with a ccp and its surroundings, and says of each what to do. It changes nothing, and sends nobody a key.</summary>
internal sealed class Doctor(Till till, Switchboard board, CurrentLicense license)
{
    private static readonly TimeSpan ClockOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ClockWrong = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(14);

    private readonly UsableLanes _usable = new(till, board);

    public async Task<DoctorView> ExamineAsync()
    {
        var config = board.Config.Now;
        var asked = _usable.All.Select(lane => (Lane: lane, Answer: board.Reach.AskAsync(lane))).ToList();
        List<FindingView> findings = [.. Configuration(), .. Keys(config), Store(), .. Disks(), .. Tls(config.Server), LicenseOf()];
        foreach (var (lane, answer) in asked)
        {
            findings.Add(ReachOf(lane, await answer));
        }

        findings.Add(Clock([.. asked.Select(each => each.Answer.Result.ServerTime).OfType<DateTimeOffset>()]));
        if (board.Policy is { } policy)
        {
            findings.Add(new FindingView("policy", policy.IsInForce ? FindingView.Ok : FindingView.Warning, policy.Summary));
        }

        return new DoctorView(findings.TrueForAll(finding => finding.Level != FindingView.Problem), findings);
    }

    private IEnumerable<FindingView> Configuration()
    {
        var found = board.Config.Look();
        foreach (var problem in found.Problems)
        {
            yield return new FindingView("configuration", FindingView.Problem, found.MayStart
                ? $"{problem}. What was in force before is in force until then."
                : $"{problem}. What was in force before is in force still, but ccp does not start with this file: correct it.");
        }

        foreach (var warning in found.Warnings)
        {
            yield return new FindingView("configuration", FindingView.Warning, warning);
        }

        if (found is { Problems.Count: 0, NeedRestart.Count: > 0 })
        {
            yield return new FindingView("configuration", FindingView.Warning, $"Changed in the file, and taken up by a restart only: {string.Join(", ", found.NeedRestart)}.");
        }

        if (found is { Problems.Count: 0, Warnings.Count: 0, NeedRestart.Count: 0 })
        {
            yield return new FindingView("configuration", FindingView.Ok, "no problems");
        }

        if (till.Config.Auth.IsLocal)
        {
            yield return new FindingView("auth", FindingView.Warning, $"auth.mode is local: {AuthConfig.LocalMeans}. Where others use this host too, set it to \"tokens\" and restart.");
        }

        if (board.Pause.IsOn || board.Config.Now.Routing.IsPaused)
        {
            yield return new FindingView("lanes", FindingView.Warning, "The lanes are paused: everything goes to the default lane. ccp lanes says by what; ccp resume ends a ccp pause.");
        }
    }

    private IEnumerable<FindingView> Keys(CcpConfig config) => config.Lanes.Select(lane => (Access: _usable.AccessTo(lane), lane.Name) switch
    {
        (LaneAccess.Subscribers, _) => new FindingView($"key {lane.Name}", FindingView.Ok, "none is needed: each caller's own login is passed on"),
        (LaneAccess.Everybody, _) => new FindingView($"key {lane.Name}", FindingView.Ok, _usable.IsLicensed(lane) ? "there is one" : $"there is one; without a license that grants {lane.Requires} nothing is sent there"),
        (_, BuiltInLanes.Anthropic) => new FindingView(
            $"key {lane.Name}",
            FindingView.Warning,
            $"There is none: users without a key of their own are refused. Set {BuiltInLanes.AnthropicKeyVariable} for ccp serve, or give each user a key."),
        (LaneAccess.KeyHolders, _) => new FindingView($"key {lane.Name}", FindingView.Ok, "none for all; users who have one by name are sent there with it"),
        (_, BuiltInLanes.Zai) => new FindingView($"key {lane.Name}", FindingView.Ok, $"none, and nothing is sent there; {BuiltInLanes.ZaiKeyVariable} holds it"),
        _ => new FindingView($"key {lane.Name}", FindingView.Warning, "There is none: nothing is sent there. Set what the lane's key refers to, and reload."),
    });

    private FindingView Store()
    {
        if ((till.Writes.Problem ?? till.Writes.Warning) is { } trouble)
        {
            return new FindingView("store", till.Writes.Problem is null ? FindingView.Warning : FindingView.Problem, trouble);
        }

        try
        {
            using var reader = Database.OpenReader(till.DatabasePath);
            return LedgerBook.Newest(reader, account: null, limit: 1, before: null) is [var newest] && newest.At > till.Time.GetUtcNow() + ClockOff
                ? new FindingView("store", FindingView.Problem, "The newest entry of the ledger is from the future: this host's clock was ahead, or is behind now. Set it.")
                : new FindingView("store", FindingView.Ok, "it can be read, and takes writes");
        }
        catch (Exception error) when (error is SqliteException or StoreUnavailableException)
        {
            return new FindingView("store", FindingView.Problem, error is SqliteException sqlite ? StoreFault.Describe(sqlite) : error.Message);
        }
    }

    private IEnumerable<FindingView> Disks() => DiskFindings.Of(
        Path.GetDirectoryName(Path.GetFullPath(till.DatabasePath))!,
        board.Data.Path,
        board.Data.Resolve(till.Config.Logs.Directory),
        DiskFindings.RoomAt);

    private IEnumerable<FindingView> Tls(ServerConfig server)
    {
        if (board.Roots.Problem is { } problem)
        {
            yield return new FindingView("tls", FindingView.Problem, $"No upstream can be reached over TLS: {problem}.");
        }

        if (server is { TlsCertificatePath: { } path, TlsKeyPath: { } key })
        {
            yield return Certificate(path, key);
        }
        else
        {
            yield return server.AllowsInsecureHttp
                ? new FindingView("tls", FindingView.Warning, "ccp listens without TLS where others may reach it (insecure_http): access tokens can be read on the way, unless something in front does TLS.")
                : new FindingView("tls", FindingView.Ok, "not needed: ccp listens on this host only");
        }
    }

    private FindingView Certificate(string path, string key)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(path, key);
            var until = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
            var left = until - till.Time.GetUtcNow();
            var words = $"the certificate is valid until {LicenseWords.Moment(until)}";
            return left <= TimeSpan.Zero ? new FindingView("tls", FindingView.Problem, $"{words}: clients refuse it. Renew it; ccp takes it up by itself.")
                : left < CertificateWarning ? new FindingView("tls", FindingView.Warning, $"{words}. Renew it; ccp takes it up by itself.")
                : new FindingView("tls", FindingView.Ok, words);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return new FindingView("tls", FindingView.Problem, $"The certificate {path} and its key cannot be used: {error.Message}");
        }
    }

    private FindingView LicenseOf()
    {
        var standing = license.Look();
        return standing switch
        {
            { Claims: { } claims, Warning: null } => new FindingView("license", FindingView.Ok, $"{claims.Plan} until {LicenseWords.Moment(claims.ExpiresAt)}"),
            { Claims: not null } => new FindingView("license", FindingView.Warning, standing.Warning),
            _ when standing.Reason == LicenseWords.None => new FindingView("license", FindingView.Ok, "none: this is the Community edition"),
            _ => new FindingView("license", FindingView.Warning, $"ccp is the Community edition: {standing.Reason}."),
        };
    }

    private static FindingView ReachOf(LaneConfig lane, LaneAnswer answer) => new(
        $"lane {lane.Name}",
        answer.IsReachable ? FindingView.Ok : FindingView.Problem,
        $"{LaneOperations.AddressOf(lane)} {answer.Words}{(answer.IsReachable ? "" : ". Look at base_url, at the network, and at server.upstream_proxy.")}");

    private FindingView Clock(IReadOnlyList<DateTimeOffset> elsewhere)
    {
        if (elsewhere.Count == 0)
        {
            return new FindingView("clock", FindingView.Ok, $"{LicenseWords.Moment(till.Time.GetUtcNow())}; there was no lane to compare it with");
        }

        // Providers agree with each other; the nearest is taken, so that one wrong clock elsewhere is not this host's.
        var off = elsewhere.Min(there => (till.Time.GetUtcNow() - there).Duration());
        var words = $"this host's clock and that of the lanes are {(long)off.TotalSeconds} s apart";
        return off > ClockWrong ? new FindingView("clock", FindingView.Problem, $"{words}. Set it: licenses, limits by the day and the ledger go by it.")
            : off > ClockOff ? new FindingView("clock", FindingView.Warning, $"{words}. Set it: licenses, limits by the day and the ledger go by it.")
            : new FindingView("clock", FindingView.Ok, words);
    }
}
