namespace Ccp.Configuration;

/// <summary>Notices when the configuration file changes. What is still being written is waited for: a change counts once the file has stood unchanged from one look to the next.</summary>
internal sealed class ConfigWatch : IDisposable
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly Func<string?> _path;
    private readonly Action _changed;
    private readonly Lock _look = new();
    private readonly ITimer _timer;
    private (string? Path, DateTime WrittenAt, long Length) _taken;
    private (string? Path, DateTime WrittenAt, long Length) _seen;

    /// <param name="path">The file that would be read now; null when there is none.</param>
    public ConfigWatch(Func<string?> path, Action changed, TimeProvider time)
    {
        _path = path;
        _changed = changed;
        _taken = _seen = Stamp();
        _timer = time.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_look)
        {
            var stamp = Stamp();
            var stands = stamp == _seen;
            _seen = stamp;
            if (!stands || stamp == _taken)
            {
                return;
            }

            _taken = stamp;
        }

        _changed();
    }

    private (string? Path, DateTime WrittenAt, long Length) Stamp() =>
        _path() is { } path && new FileInfo(path) is { Exists: true } file ? (path, file.LastWriteTimeUtc, file.Length) : default;
}
