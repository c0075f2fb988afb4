using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Ccp.Crash.Servers;

/// <summary>One run of ccp, from its start to its end, which is seldom its own choice.</summary>
internal sealed partial class CcpProcess : IDisposable
{
    private const string Announcement = "listening on ";
    private const int Sigterm = 15;
    private const int StderrCharsMax = 8_192;

    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _stderr = new();

    private CcpProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The newest of what it said.</summary>
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

    /// <param name="environment">All that the process gets.</param>
    public static CcpProcess Start(string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new CcpProcess(Process.Start(start) ?? throw new Win32Exception($"{path} did not start."));
    }

    /// <exception cref="CcpEndedException">It does not listen; the message holds what it said.</exception>
    public async Task<Uri> UntilItListensAsync()
    {
        using var limit = new CancellationTokenSource(StartsWithin);
        try
        {
            var line = await _process.StandardOutput.ReadLineAsync(limit.Token);
            return line?.StartsWith(Announcement, StringComparison.Ordinal) == true
                ? new Uri(line[Announcement.Length..])
                : throw new CcpEndedException($"ccp did not begin to listen. It said \"{line}\" and {Stderr}");
        }
        catch (OperationCanceledException)
        {
            throw new CcpEndedException($"ccp did not listen within {StartsWithin.TotalSeconds:0} s. It said {Stderr}");
        }
    }

    /// <summary>SIGKILL: not an instruction more is run. The pages it had written are the kernel's and stay.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Terminate() => _ = kill(_process.Id, Sigterm);

    /// <returns>Null when it ended as it should; else what was wrong.</returns>
    public async Task<string?> StopAsync()
    {
        Terminate();
        using var limit = new CancellationTokenSource(StopsWithin);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return _process.ExitCode == 0 ? null : $"ccp ended with code {_process.ExitCode}: {Stderr}";
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            return $"ccp did not end within {StopsWithin.TotalSeconds:0} s of SIGTERM: {Stderr}";
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private void Hear(string? line)
    {
        lock (_stderr)
        {
            _stderr.AppendLine(line);
            if (_stderr.Length > StderrCharsMax)
            {
                _stderr.Remove(0, _stderr.Length - StderrCharsMax);
            }
        }
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}

/// <summary>ccp did not do what it must always do: start.</summary>
internal sealed class CcpEndedException(string message) : Exception(message);
