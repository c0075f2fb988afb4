namespace Ccp.Cli;

/// <summary>A command cannot do what it was asked for: exit code 1. The message says why, and what to do.</summary>
internal sealed class CommandFailedException(string message, Exception? inner = null) : Exception(message, inner);
