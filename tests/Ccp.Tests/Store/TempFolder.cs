namespace Ccp.Tests.Store;

/// <summary>A folder of a test's own, gone with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ccp-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file that only its owner can read, as secrets must be.</summary>
    public void WritePrivate(string name, string text)
    {
        File.WriteAllText(this[name], text);
        File.SetUnixFileMode(this[name], UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
