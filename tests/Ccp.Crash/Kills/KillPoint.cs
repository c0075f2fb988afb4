using Ccp.Crash.Audit;

namespace Ccp.Crash.Kills;

/// <summary>A kind of moment at which ccp is killed.</summary>
/// <param name="Share">How often, beside the others.</param>
/// <param name="PrepareAsync">Brings the house to that moment; when it returns, the process is killed.</param>
internal sealed record KillPoint(string Name, int Share, Func<Scene, Task> PrepareAsync)
{
    /// <summary>How the process will have ended.</summary>
    public ProcessEnd End { get; init; } = ProcessEnd.Killed;

    /// <summary>How many of the starts after the kill are killed too, before ccp listens.</summary>
    public int KilledStarts { get; init; }

    public override string ToString() => Name;
}
