using System.Diagnostics;
using System.Text;

namespace Ccp.Bench.Machine;

/// <summary>A server that says <c>listening on URL</c> when it is ready. It is ended by SIGTERM, and by SIGKILL if that does not do.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const string Announcement = "listening on ";
    private const int StderrCharsMax = 4_096;

    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly StringBuilder _stderr = new();
    private readonly Lock _lock = new();
    private bool _stopped;

    private ChildProcess(Process process, string name)
    {
        _process = process;
        Name = name;
        process.ErrorDataReceived += (_, line) => KeepStderr(line.Data);
        process.BeginErrorReadLine();
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasEndedByItself
    {
        get
        {
            lock (_lock)
            {
                return !_stopped && _process.HasExited;
            }
        }
    }

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>The newest of it.</summary>
    public string Stderr
    {
        get
        {
            lock (_stderr)
            {
                return _stderr.ToString();
            }
        }
    }

    /// <param name="environment">All that the process gets: a proxy setting of this machine must not come between.</param>
    public static ChildProcess Start(string name, string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return new(Process.Start(start) ?? throw new BenchFailedException($"{path} did not start."), name);
    }

    public void WaitUntilItListens()
    {
        var line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(StartsWithin) || line.Result?.StartsWith(Announcement, StringComparison.Ordinal) != true)
        {
            throw new BenchFailedException($"{Name} did not begin to listen. It said: {(line.IsCompleted ? line.Result : "")} {Stderr}");
        }

        Address = new Uri(line.Result[Announcement.Length..].Split(',')[0]);
    }

    /// <returns>Null when it ended as it should; else what was wrong. Only the first call says so.</returns>
    public string? Stop()
    {
        lock (_lock)
        {
            if (_stopped)
            {
                return null;
            }

            _stopped = true;
            if (_process.HasExited)
            {
                return $"{Name} had ended by itself, with code {_process.ExitCode}. {Stderr}";
            }

            LibC.Terminate(_process.Id);
            if (!_process.WaitForExit(StopsWithin))
            {
                _process.Kill();
                _process.WaitForExit();
                return $"{Name} did not end within {StopsWithin.TotalSeconds} s of SIGTERM. {Stderr}";
            }

            return _process.ExitCode == 0 ? null : $"{Name} ended with code {_process.ExitCode}. {Stderr}";
        }
    }

    public void Dispose()
    {
        Stop();
        _process.Dispose();
    }

    private void KeepStderr(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_stderr)
        {
            _stderr.AppendLine(line);
            if (_stderr.Length > StderrCharsMax)
            {
                _stderr.Remove(0, _stderr.Length - StderrCharsMax);
            }
        }
    }
}
