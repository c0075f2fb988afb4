using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>What the audit of the usage log came to.</summary>
/// <param name="Open">Calls in progress by the end of the log, or cut off by a kill.</param>
/// <param name="Findings">At most the first thousand.</param>
internal sealed record UsageVerdictView(bool Ok, IReadOnlyList<string> Files, long Lines, long Decisions, long Completions, int Open, long FindingsInAll, IReadOnlyList<AuditFindingView> Findings)
{
    private const int Shown = 1000;

    /// <param name="isLicensed">True: a license was there all along; null: the decisions tell.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static UsageVerdictView Of(IReadOnlyList<string> files, bool? isLicensed)
    {
        var audit = new UsageAudit(isLicensed);
        UsageLogFiles.ReadInto(audit, files);
        var findings = audit.End();
        return new UsageVerdictView(
            findings.Count == 0, files, audit.Lines, audit.Decisions, audit.Completions, audit.Open, findings.Count, [.. findings.Take(Shown).Select(finding => new AuditFindingView(finding.File, finding.Line, finding.Message))]);
    }
}

internal sealed record AuditFindingView(string File, long Line, string Message);
