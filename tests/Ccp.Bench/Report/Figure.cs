namespace Ccp.Bench.Report;

/// <summary>What the number beside the two others is.</summary>
internal enum Comparison
{
    /// <summary>ccp less direct.</summary>
    Added,

    /// <summary>ccp divided by direct.</summary>
    Ratio,

    /// <summary>There is no direct form of it.</summary>
    CcpOnly,
}

/// <summary>What the first release keeps to and what is aimed at, in the figure's unit. Goals that are ratios to another proxy cannot be told here.</summary>
internal sealed record Goal(double FirstRelease, double Aim);

/// <summary>One line of the report: a value each round, and their median.</summary>
internal sealed class Figure(string name, string unit, Comparison comparison, Goal? goal = null)
{
    private readonly List<double> _direct = [];
    private readonly List<double> _ccp = [];

    public string Name => name;

    public string Unit => unit;

    public Comparison Comparison => comparison;

    public Goal? Goal => goal;

    public IReadOnlyList<double> DirectRounds => _direct;

    public IReadOnlyList<double> CcpRounds => _ccp;

    public double Direct => Median(_direct);

    public double Ccp => Median(_ccp);

    /// <summary>The median over the rounds of what each round compared; for <see cref="Comparison.CcpOnly"/> ccp's own value.</summary>
    public double Compared => Median(ComparedRounds);

    public IReadOnlyList<double> ComparedRounds => comparison switch
    {
        Comparison.Added => [.. _ccp.Zip(_direct, (ccp, direct) => ccp - direct)],
        Comparison.Ratio => [.. _ccp.Zip(_direct, (ccp, direct) => ccp / direct)],
        _ => _ccp,
    };

    public bool IsOverGoal => goal is not null && Compared > goal.FirstRelease;

    public void Add(double ccp) => _ccp.Add(ccp);

    public void Add(double direct, double ccp)
    {
        _direct.Add(direct);
        _ccp.Add(ccp);
    }

    private static double Median(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        List<double> sorted = [.. values.Order()];
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
