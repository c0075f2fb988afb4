namespace Ccp.ScriptedUpstream;

/// <summary>Ids that never repeat within a process: Claude Code takes two messages with one id for the same message.</summary>
internal static class Ids
{
    private static long s_last;

    public static string Next(string prefix) => $"{prefix}scripted{Interlocked.Increment(ref s_last):D8}";
}
