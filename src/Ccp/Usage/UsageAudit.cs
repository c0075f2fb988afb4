using System.Text.Json;
using Ccp.Configuration.Sections;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Routing;

namespace Ccp.Usage;

/// <summary>What is wrong with a line of the usage log.</summary>
internal sealed record AuditFinding(string File, long Line, string Message);

/// <summary>Checks a usage log: that haiku stayed off the default lane while the license allowed it, that no header of another lane shows there, that decisions and completions match.</summary>
/// <remarks>Lines are given in their order, the oldest first. Memory grows with the calls in progress only.</remarks>
/// <param name="isLicensed">True: a license was there all along; null: the decisions tell.</param>
internal sealed class UsageAudit(bool? isLicensed)
{
    /// <summary>Seconds. Longer than any call lasts.</summary>
    private const decimal LongestCall = 3600;

    /// <summary>Seconds by which a call's beginning, reckoned back from its end, may be late: times are cut to milliseconds, and clocks are set.</summary>
    private const decimal Leeway = 1;

    private readonly Dictionary<string, Decided> _open = new(StringComparer.Ordinal);
    private readonly List<AuditFinding> _findings = [];
    private bool _hasLicense = isLicensed ?? false;
    private decimal? _first;
    private decimal _last;

    public long Lines { get; private set; }

    public long Decisions { get; private set; }

    public long Completions { get; private set; }

    /// <summary>Calls that were decided and have not ended, by the end of the log.</summary>
    public int Open => _open.Count;

    public void Read(string file, long line, string text)
    {
        Lines++;
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object || Text(document.RootElement, "rid") is not { } id)
            {
                _findings.Add(new AuditFinding(file, line, "this is no line of a usage log"));
                return;
            }

            if (document.RootElement.TryGetProperty("ts", out var ts) && ts.TryGetDecimal(out var at))
            {
                _first ??= at;
                _last = Math.Max(_last, at);
            }
            else
            {
                at = _last;
            }

            Judge(file, line, id, at, document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            _findings.Add(new AuditFinding(file, line, "this line cannot be read"));
        }
    }

    /// <summary>To be called once, after the last line.</summary>
    public IReadOnlyList<AuditFinding> End()
    {
        foreach (var (id, decided) in _open)
        {
            if (decided.At < _last - LongestCall)
            {
                _findings.Add(new AuditFinding(decided.File, decided.Line, $"{id} was sent to {decided.Lane} and has no end: ccp was killed, or lines were lost"));
            }
        }

        return _findings;
    }

    private void Judge(string file, long line, string id, decimal at, JsonElement entry)
    {
        var lane = Text(entry, "lane");
        if (Text(entry, "event") == "decision")
        {
            Decisions++;
            var reason = Text(entry, "decision_reason") ?? "";
            NoteLicense(entry, lane, reason);
            if (Text(entry, "decision") != lane)
            {
                _findings.Add(new AuditFinding(file, line, $"{id} names {Text(entry, "decision")} as its decision and {lane} as its lane"));
            }

            // The warning of a quota stands in the place of what chose the lane.
            var excuse = reason == RouteReason.QuotaWarnAttempt ? Text(entry, "chosen_by") ?? reason : reason;
            if (lane is null || !_open.TryAdd(id, new Decided(file, line, at, lane, excuse, _hasLicense)))
            {
                _findings.Add(new AuditFinding(file, line, $"{id} is decided {(lane is null ? "without a lane" : "twice")}"));
            }

            return;
        }

        Completions++;
        if (lane == BuiltInLanes.Anthropic && Text(entry, "header_mode") is { } mode)
        {
            _findings.Add(new AuditFinding(file, line, $"{id} has header_mode {mode} on the {lane} lane: only other lanes have one"));
        }

        var hasDecision = _open.Remove(id, out var decided);
        if (lane is null || Text(entry, "reason") == HoldRecovery.CrashReason)
        {
            // Refused before it was decided where to send it; or charged after ccp was killed, by its hold alone: the line of its decision may have
            // been lost, and that it came from another lane is not known.
            return;
        }

        if (!hasDecision)
        {
            if (at - Latency(entry) >= _first + Leeway)
            {
                _findings.Add(new AuditFinding(file, line, $"{id} ended on {lane} and was never decided"));
            }

            return;
        }

        var from = Text(entry, "fallback_from");
        if ((from ?? lane) != decided.Lane)
        {
            _findings.Add(new AuditFinding(file, line, $"{id} was decided for {decided.Lane} (line {decided.Line}) and ended on {lane}{(from is null ? "" : $", from {from}")}"));
        }

        if (lane == BuiltInLanes.Anthropic && from is null && decided.WasLicensed && Text(entry, "model") is { } model && IsNoExcuse(decided.Reason, model))
        {
            _findings.Add(new AuditFinding(file, line, $"{id} took {model} to the {lane} lane while the license allows another (decision: {decided.Reason})"));
        }
    }

    /// <summary>A call that went to a lane for which a license is needed had one; a call that was kept away for want of one had none.</summary>
    private void NoteLicense(JsonElement entry, string? lane, string reason)
    {
        if (isLicensed is null)
        {
            _hasLicense = lane == BuiltInLanes.Zai || (_hasLicense && reason != RouteReason.LicenseBlock);
        }
    }

    /// <summary>A haiku may have reasons to be on the default lane although there is a license. A route that leads there is none: that is what is looked for.</summary>
    private bool IsNoExcuse(string reason, string model) => reason switch
    {
        // Where no route was written, a model that the built-in one does not take was never meant to go elsewhere.
        RouteReason.Default or RouteReason.QuotaWarnAttempt => ModelGlob.Matches(BuiltInLanes.HaikuRoute.Pattern, model),
        RouteReason.Route or RouteReason.Policy => IsHaiku(model),
        RouteReason.LicenseBlock => isLicensed == true && IsHaiku(model),
        _ => false,
    };

    private static bool IsHaiku(string model) => model.Contains("haiku", StringComparison.OrdinalIgnoreCase);

    private static decimal Latency(JsonElement entry) => entry.TryGetProperty("latency_ms", out var latency) && latency.TryGetDecimal(out var milliseconds) ? milliseconds / 1000 : 0;

    private static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private readonly record struct Decided(string File, long Line, decimal At, string Lane, string Reason, bool WasLicensed);
}
