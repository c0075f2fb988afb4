using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Licenses;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Cli;

/// <summary>The license's part of the administration API in this process, for when no server runs. It needs no store: a license may come before the first start.</summary>
internal sealed class LicenseFileConnection : AdminConnection
{
    private readonly DataDirectory _data;
    private readonly CurrentLicense _license;
    private readonly LicenseOperations _operations;

    private LicenseFileConnection(DataDirectory data, CurrentLicense license, CcpConfig config)
    {
        _data = data;
        _license = license;
        _operations = new LicenseOperations(license, () => config, NullLogger.Instance);
    }

    /// <param name="say">Told whose license this is: another user's ccp, or one with another data directory, goes on with its own.</param>
    /// <exception cref="CommandFailedException">The configuration is wrong, so where the license is kept is not known.</exception>
    public static LicenseFileConnection Open(string? configFile, Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, Action<string> say)
    {
        var data = DataDirectory.From(environment);
        var source = ConfigSource.Load(configFile, data, environment);
        var config = source.Result.Config ?? throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        DataDirectory.RefuseUnseen(data.Resolve(config.License.Path));
        say($"No ccp runs with the data directory {data.Path}; its next start reads this.");
        return new LicenseFileConnection(data, Open(config, data, environment, keys, NullLogger.Instance), config);
    }

    public static CurrentLicense Open(CcpConfig config, DataDirectory data, Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, ILogger log) =>
        new(new LicenseSource(data.Resolve(config.License.Path), environment), keys, TimeProvider.System, log);

    public override Task<AdminAnswer> SendAsync(AdminCall call)
    {
        try
        {
            return Task.FromResult(AdminApi.Answer(call.Method switch
            {
                "POST" => Activate(call),
                "DELETE" => _operations.Deactivate("host"),
                _ => _operations.Show(),
            }));
        }
        catch (AdminRefusedException refused)
        {
            return Task.FromResult(AdminApi.Error(refused.Status, refused.Message));
        }
    }

    public override ValueTask DisposeAsync()
    {
        _license.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>It may come before the first start, which else makes the directory.</summary>
    private LicenseView Activate(AdminCall call)
    {
        _data.Create();
        return _operations.Activate(call.Body, "host");
    }
}
