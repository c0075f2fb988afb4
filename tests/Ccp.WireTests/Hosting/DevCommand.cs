using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Ccp.Licensing;

namespace Ccp.WireTests.Hosting;

/// <summary>A command of the dev build, as in a terminal of its own: what it prints is read line by line while it runs.</summary>
internal sealed class DevCommand : IAsyncDisposable
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _limit = new(EndsWithin);
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Process _process;
    private readonly Task _read;

    private DevCommand(Process process)
    {
        _process = process;
        _read = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <param name="home">The data directory of the ccp that it is for.</param>
    /// <param name="keys">The keys whose licenses it trusts; null: none.</param>
    public static DevCommand Start(string home, IReadOnlyDictionary<string, byte[]>? keys, params string[] arguments)
    {
        var start = new ProcessStartInfo(CcpUnderTest.DevPath!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = home };
        start.Environment.Clear();
        start.Environment["CCP_HOME"] = home;
        if (keys is not null)
        {
            start.Environment[TrustedKeys.Variable] = string.Join(',', keys.Select(key => $"{key.Key}={Convert.ToBase64String(key.Value)}"));
        }

        return new DevCommand(Process.Start(start)!);
    }

    /// <summary>Waits for the next line with this beginning.</summary>
    /// <returns>The rest of it.</returns>
    public async Task<string> SaysAsync(string beginning)
    {
        var before = new List<string>();
        while (await _lines.Reader.WaitToReadAsync(_limit.Token))
        {
            while (_lines.Reader.TryRead(out var line))
            {
                if (line.StartsWith(beginning, StringComparison.Ordinal))
                {
                    return line[beginning.Length..];
                }

                before.Add(line);
            }
        }

        Assert.Fail($"It ended without a word of \"{beginning}\": {string.Join('\n', before)}");
        return "";
    }

    /// <returns>How it ended, and what it has printed since it was last listened to.</returns>
    public async Task<(int ExitCode, string Printed)> EndAsync()
    {
        await _process.WaitForExitAsync(_limit.Token);
        await _read.WaitAsync(_limit.Token);
        var rest = new List<string>();
        while (_lines.Reader.TryRead(out var line))
        {
            rest.Add(line);
        }

        return (_process.ExitCode, string.Join('\n', rest));
    }

    /// <summary>As SIGTERM does.</summary>
    public async Task<(int ExitCode, string Printed)> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _read;
        _process.Dispose();
        _limit.Dispose();
    }

    private async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            _lines.Writer.TryWrite(line);
        }
    }
}
