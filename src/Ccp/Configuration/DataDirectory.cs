namespace Ccp.Configuration;

/// <summary>Where ccp keeps what is its own: the store, the master key, the socket, the logs. Made for its owner only.</summary>
internal sealed class DataDirectory
{
    private DataDirectory(string path)
    {
        Path = path;
    }

    public string Path { get; }

    public string MasterKeyPath => Resolve("master.key");

    /// <summary>The unix socket that the command line talks to a running server through.</summary>
    public string SocketPath => Resolve("ccp.sock");

    /// <summary><c>$CCP_HOME</c>, else <c>$XDG_STATE_HOME/ccp</c>, else <c>~/.local/state/ccp</c>.</summary>
    public static DataDirectory From(Func<string, string?> environment)
    {
        if (NonEmpty(environment("CCP_HOME")) is { } home)
        {
            return new DataDirectory(System.IO.Path.GetFullPath(home));
        }

        var state = NonEmpty(environment("XDG_STATE_HOME"))
            ?? System.IO.Path.Combine(NonEmpty(environment("HOME")) ?? Directory.GetCurrentDirectory(), ".local", "state");
        return new DataDirectory(System.IO.Path.GetFullPath(System.IO.Path.Combine(state, "ccp")));
    }

    public static DataDirectory At(string path) => new(System.IO.Path.GetFullPath(path));

    public void Create() => Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    public string Resolve(string path) => System.IO.Path.Combine(Path, path);

    private static string? NonEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
