namespace Ccp.Configuration;

/// <summary>Notices when the configuration file changes. What is still being written is waited for: a change counts once the file has stood unchanged from one look to the next.</summary>
internal sealed class ConfigWatch : IDisposable
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly Action _changed;
    private readonly Lock _look = new();
    private readonly ITimer _timer;
    private FileStamp _taken;
    private FileStamp _seen;

    /// <param name="path">Of the file; it need not be there yet.</param>
    /// <param name="started">What it was before ccp read it: a start takes time, and what changes meanwhile is a change.</param>
    public ConfigWatch(string path, FileStamp started, Action changed, TimeProvider time)
    {
        _path = path;
        _changed = changed;
        _taken = _seen = started;
        _timer = time.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_look)
        {
            var stamp = FileStamp.Of(_path);
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
}
