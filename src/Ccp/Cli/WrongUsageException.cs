namespace Ccp.Cli;

/// <summary>The command line asks for something that makes no sense: exit code 2. The message says what would.</summary>
internal sealed class WrongUsageException(string message) : Exception(message);
