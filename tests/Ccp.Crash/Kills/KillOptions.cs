using Ccp.Crash.Audit;
using Ccp.Crash.Servers;

namespace Ccp.Crash.Kills;

/// <param name="CcpPath">The executable under test.</param>
/// <param name="Parallel">Houses at a time.</param>
internal sealed record KillOptions(string CcpPath, int Seed, int Kills, int Parallel)
{
    public IReadOnlyList<KillPoint> Points { get; init; } = KillPoints.All;

    /// <summary>For ccp, beside what it needs.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The same against the ccp with a broken ledger.</summary>
    /// <param name="breakage">A name it knows (tests/Ccp.Canary/Breakage.cs); with any other nothing is broken.</param>
    public KillOptions Broken(string breakage) => this with
    {
        CcpPath = Executables.Canary,
        Environment = new Dictionary<string, string>(Executables.RuntimeEnvironment) { ["CCP_BREAKAGE"] = breakage },
    };
}

/// <summary>One kill: when, and the seed of its choices.</summary>
internal sealed record KillOrder(int Number, KillPoint Point, int Seed)
{
    /// <summary>What every house ends with: no kill, and every charge exact.</summary>
    public static readonly KillPoint ProperEnd = new("no kill, ended properly", 0, _ => Task.CompletedTask) { End = ProcessEnd.Stopped };
}

/// <param name="Charges">How each call of the scene was charged.</param>
internal sealed record KillResult(KillOrder Order, IReadOnlyList<ChargeKind> Charges, IReadOnlyList<string> Violations)
{
    /// <summary>The data directory, when it is left for a person to look into.</summary>
    public string? KeptHome { get; init; }
}
