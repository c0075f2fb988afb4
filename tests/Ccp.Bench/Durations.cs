namespace Ccp.Bench;

/// <summary>How much is measured: enough to tell, or just enough to see that everything is served.</summary>
internal sealed record Durations
{
    public static readonly Durations Full = new();

    public static readonly Durations Short = new()
    {
        Rounds = 1,
        Calls = TimeSpan.FromSeconds(0.3),
        PacedEvents = 40,
        ManyStreams = 200,
        ManyEvents = 3,
        Starts = 2,
    };

    public int Rounds { get; private init; } = 3;

    /// <summary>Of each series of calls.</summary>
    public TimeSpan Calls { get; private init; } = TimeSpan.FromSeconds(0.9);

    /// <summary>Per stream, 10 ms apart.</summary>
    public int PacedEvents { get; private init; } = 160;

    public int ManyStreams { get; private init; } = 1_000;

    /// <summary>Per stream, a second apart.</summary>
    public int ManyEvents { get; private init; } = 4;

    public int Starts { get; private init; } = 5;
}
