using Ccp.Bench.Client;
using Ccp.Bench.Machine;

namespace Ccp.Bench.Servers;

/// <summary>The servers of a run, and the directory they write to. On disposal all of them end and it is deleted.</summary>
internal sealed class Stage : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<ChildProcess> _children = [];
    private readonly string _directory;
    private bool _isOver;

    public Stage(Durations durations)
    {
        Durations = durations;
        CcpPath = PathFrom("CCP_BIN", "artifacts/ccp");
        UpstreamPath = PathFrom("CCP_UPSTREAM_BIN", "artifacts/build/bin/ScriptedUpstream/release_net10.0/ScriptedUpstream");
        _directory = Directory.CreateTempSubdirectory("ccp-bench-").FullName;
    }

    public Durations Durations { get; }

    public Unserved Unserved { get; } = new();

    public string CcpPath { get; }

    private string UpstreamPath { get; }

    public ChildProcess StartUpstream(string name, params string[] arguments)
    {
        var environment = new Dictionary<string, string>();
        foreach (var variable in new[] { "DOTNET_ROOT", "HOME", "PATH" })
        {
            if (Environment.GetEnvironmentVariable(variable) is { } value)
            {
                environment[variable] = value;
            }
        }

        return Start(name, UpstreamPath, arguments, environment);
    }

    /// <param name="home">A name; servers started with the same one, one after the other, share a store.</param>
    public CcpServer StartCcp(string name, ChildProcess upstream, string home)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_directory, home)).FullName;
        var config = Path.Combine(directory, "config.toml");
        File.WriteAllText(config, CcpServer.Toml(upstream.Address));
        var environment = new Dictionary<string, string> { ["CCP_HOME"] = directory, ["DEFAULT_ANTHROPIC_API_KEY"] = "key-of-the-benchmark" };
        return new CcpServer(directory, Start(name, CcpPath, ["serve", "--config", config], environment));
    }

    /// <summary>Ends one server, and notes it if it does not end well.</summary>
    public void Stop(ChildProcess child)
    {
        if (child.Stop() is { } problem)
        {
            Unserved.Add(problem);
        }
    }

    /// <summary>Notes the servers that have ended without being told to, with the last that they said.</summary>
    public void StopAllThatEnded()
    {
        lock (_lock)
        {
            _children.FindAll(child => child.HasEndedByItself).ForEach(Stop);
        }
    }

    /// <summary>How long one small write takes to be on the disk that the stores lie on: what a hold waits for at least.</summary>
    public Latency MeasureSyncedWrite()
    {
        const int Writes = 50;
        var times = new List<long>(Writes);
        using var file = new FileStream(Path.Combine(_directory, "synced"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        for (var write = 0; write < Writes; write++)
        {
            var start = Clock.Now;
            file.Write(page);
            file.Flush(flushToDisk: true);
            times.Add(Clock.Now - start);
        }

        return Latency.Of(times);
    }

    /// <summary>All at the same time. No server can be started any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            Parallel.ForEach(_children, child => child.Dispose());
            Directory.Delete(_directory, recursive: true);
        }
    }

    private ChildProcess Start(string name, string path, string[] arguments, Dictionary<string, string> environment)
    {
        ChildProcess child;

        // Under the lock both: a server of which the end of the run does not know would outlive it.
        lock (_lock)
        {
            if (_isOver)
            {
                throw new BenchFailedException("The run is over.");
            }

            child = ChildProcess.Start(name, path, arguments, environment);
            _children.Add(child);
        }

        child.WaitUntilItListens();
        return child;
    }

    private static string PathFrom(string variable, string usual)
    {
        var path = Path.GetFullPath(Environment.GetEnvironmentVariable(variable) ?? usual);
        return File.Exists(path) ? path : throw new BenchFailedException($"{path} is missing. `make bench` builds it; {variable} names another one.");
    }
}
