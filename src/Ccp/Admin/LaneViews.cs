using System.Text.Json.Serialization;

namespace Ccp.Admin;

/// <param name="Paused">Everything goes to the default lane.</param>
/// <param name="PausedBy">What says so.</param>
internal sealed record LanesView(
    bool Paused,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PausedBy,
    IReadOnlyList<LaneView> Lanes);

/// <summary>A lane, without its key.</summary>
/// <param name="HasKey">Of its own; users may have others.</param>
/// <param name="Requires">The license feature it asks for.</param>
/// <param name="State">"ready", or why nothing is sent there now, or which models are not.</param>
internal sealed record LaneView(
    string Name,
    string Address,
    string Header,
    bool HasKey,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Requires,
    bool Paused,
    string State);

/// <param name="Ok">False: nothing was changed.</param>
/// <param name="NeedRestart">Settings that count from the next start on.</param>
internal sealed record ReloadView(bool Ok, IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings, IReadOnlyList<string> NeedRestart);

/// <param name="Ok">False when there is a problem; warnings are none.</param>
internal sealed record DoctorView(bool Ok, IReadOnlyList<FindingView> Findings);

/// <param name="Level">"ok", "warning" or "problem".</param>
/// <param name="Message">What is so, and, unless it is well, what to do.</param>
internal sealed record FindingView(string Topic, string Level, string Message)
{
    public const string Ok = "ok";
    public const string Warning = "warning";
    public const string Problem = "problem";
}
