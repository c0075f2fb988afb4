namespace Ccp.Bench;

/// <summary>The benchmark cannot go on; the message says why.</summary>
internal sealed class BenchFailedException(string message) : Exception(message);
