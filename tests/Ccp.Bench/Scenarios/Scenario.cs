using Ccp.Bench.Report;

namespace Ccp.Bench.Scenarios;

/// <summary>One kind of load. It is run once a round, so that whatever else the machine does falls on all of them alike.</summary>
internal abstract class Scenario
{
    public abstract IReadOnlyList<Figure> Figures { get; }

    public abstract void RunRound();
}
