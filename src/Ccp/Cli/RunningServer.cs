using System.Runtime.InteropServices;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Licenses;
using Ccp.Licensing;
using Ccp.Store;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Cli;

/// <summary>A proxy that serves until it is told to stop.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly Till _till;
    private readonly CompositionRoot _root;
    private readonly ILogger _log;

    private RunningServer(Till till, CompositionRoot root, string? firstAdminToken, ILogger log)
    {
        _till = till;
        _root = root;
        _log = log;
        FirstAdminToken = firstAdminToken;
    }

    /// <summary>The token of the admin made on the first start; null on every other. Shown once, kept nowhere.</summary>
    public string? FirstAdminToken { get; }

    /// <summary>Where it listens over TCP, with the ports that the system chose.</summary>
    public IReadOnlyList<string> Addresses => [.. _root.Host.Addresses.Where(address => !address.Contains("unix:", StringComparison.Ordinal))];

    public Till Till => _till;

    /// <param name="licenseKeys">Null: those that this build trusts.</param>
    /// <exception cref="StoreUnavailableException">The store cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The master key cannot be used.</exception>
    /// <exception cref="IOException">An address is in use.</exception>
    public static async Task<RunningServer> StartAsync(ConfigSource source, DataDirectory data, Func<string, string?> environment, TimeProvider time, ILogger log, IReadOnlyDictionary<string, byte[]>? licenseKeys = null)
    {
        var config = source.Result.Config!;
        data.Create();
        var roots = TrustedRoots.Find(config.Server.CaFile, environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR"));
        if (roots.Problem is { } problem)
        {
            log.NoTrustedRoots(problem);
        }

        var till = Till.Open(config, data, environment("CCP_MASTER_KEY"), time, log);
        CompositionRoot? root = null;
        try
        {
            var token = await FirstAdmin.MakeAsync(till);

            // The lock on the store is held: a socket that lies there is a dead server's.
            File.Delete(data.SocketPath);
            root = new CompositionRoot(till, data, roots, OpenLicense(config, data, environment, licenseKeys, time, log), source);
            await root.Host.StartAsync();
            var server = new RunningServer(till, root, token, log);
            if (config.Lanes.Any(lane => lane is { Name: BuiltInLanes.Anthropic, Key: null, Header: not LaneHeader.Passthrough }))
            {
                log.NoAnthropicKey(BuiltInLanes.AnthropicKeyVariable);
            }

            log.Serving(Product.Version, string.Join(", ", server.Addresses), data.Path, source.Name);
            if (config.Auth.IsLocal)
            {
                log.ServesLocally(AuthConfig.LocalMeans);
            }

            return server;
        }
        catch
        {
            if (root is not null)
            {
                await root.DisposeAsync();
            }

            await till.DisposeAsync();
            throw;
        }
    }

    private static CurrentLicense OpenLicense(
        CcpConfig config,
        DataDirectory data,
        Func<string, string?> environment,
        IReadOnlyDictionary<string, byte[]>? keys,
        TimeProvider time,
        ILogger log)
    {
        var trusted = TrustedKeys.With(environment(TrustedKeys.Variable), TrustedKeys.IsDevBuild, out var problem);
        if (problem is not null)
        {
            log.LicenseKeysIgnored(problem);
        }

        if (TrustedKeys.IsDevBuild)
        {
            log.DevBuild();
        }

        return new CurrentLicense(new LicenseSource(data.Resolve(config.License.Path), environment), keys ?? trusted, time, log);
    }

    /// <summary>Returns on SIGTERM or SIGINT. A second one ends the process at once.</summary>
    public static async Task UntilToldToStopAsync()
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext signal) => signal.Cancel = told.TrySetResult();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await told.Task;
    }

    /// <param name="asker">Who or what wants it, for the log.</param>
    public void Reload(string asker) => _root.Reload(asker);

    public async Task DrainAsync() => await _root.DrainAsync();

    public async ValueTask DisposeAsync()
    {
        await _root.DisposeAsync();
        await _till.DisposeAsync();
        _log.Stopped();
    }
}
