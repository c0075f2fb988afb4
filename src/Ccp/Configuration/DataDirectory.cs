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

    /// <exception cref="IOException">It is not there and cannot be made.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The data directory {Path} is not there and cannot be made. Set CCP_HOME to a directory that this user may write in.", error);
        }
    }

    /// <summary>A file that is there may look missing to a user who may not look into its directory.</summary>
    /// <exception cref="UnauthorizedAccessException">This user cannot tell whether the file is there.</exception>
    public static void RefuseUnseen(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new UnauthorizedAccessException($"This user may not look into {System.IO.Path.GetDirectoryName(path)}. Run this as the user that ccp runs as, or set CCP_HOME to the data directory of the one you mean.", error);
        }
        catch (IOException)
        {
            // It is not there, or something is wrong that reading it will say.
        }
    }

    public string Resolve(string path) => System.IO.Path.Combine(Path, path);

    private static string? NonEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
