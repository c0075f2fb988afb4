namespace Ccp.Store;

/// <summary>Says that this process, and no other, serves a store. Held for the life of the process; the kernel frees it with the process.</summary>
internal sealed class StoreLock : IDisposable
{
    /// <summary>What the kernel says of a file that another process has locked.</summary>
    private const int WouldBlock = 11;

    private readonly FileStream _file;

    private StoreLock(FileStream file)
    {
        _file = file;
    }

    /// <exception cref="StoreUnavailableException">Another process holds it, or the file cannot be made.</exception>
    public static StoreLock Take(string databasePath)
    {
        var path = databasePath + ".lock";
        try
        {
            return new StoreLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (error.HResult == WouldBlock)
        {
            throw new StoreUnavailableException($"The store {databasePath} is in use by another ccp ({path} is locked); stop that one first.", error) { IsInUse = true };
        }
        catch (IOException error)
        {
            // Such as a read-only filesystem, or one without room for a name.
            throw new StoreUnavailableException($"The store {databasePath} cannot be used: {error.Message} Its directory must be writable for the user that ccp runs as, and its disk have room.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StoreUnavailableException($"{path} cannot be written by this user: {error.Message}", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
