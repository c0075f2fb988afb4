using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Licenses;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Cli;

/// <summary>The license's part of the administration API in this process, for when no server runs. It needs no store: a license may come before the first start.</summary>
internal sealed class LicenseFileConnection : AdminConnection
{
    private readonly CurrentLicense _license;
    private readonly LicenseOperations _operations;

    private LicenseFileConnection(CurrentLicense license, CcpConfig config)
    {
        _license = license;
        _operations = new LicenseOperations(license, () => config, NullLogger.Instance);
    }

    /// <exception cref="CommandFailedException">The configuration is wrong, so where the license is kept is not known.</exception>
    public static LicenseFileConnection Open(string? configFile, Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys)
    {
        var data = DataDirectory.From(environment);
        var source = ConfigSource.Load(configFile, data, environment);
        var config = source.Result.Config ?? throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        data.Create();
        DataDirectory.RefuseUnseen(data.Resolve(config.License.Path));
        return new LicenseFileConnection(Open(config, data, environment, keys, NullLogger.Instance), config);
    }

    public static CurrentLicense Open(CcpConfig config, DataDirectory data, Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, ILogger log) =>
        new(new LicenseSource(data.Resolve(config.License.Path), environment), keys, TimeProvider.System, log);

    public override Task<AdminAnswer> SendAsync(AdminCall call)
    {
        try
        {
            return Task.FromResult(AdminApi.Answer(call.Method switch
            {
                "POST" => _operations.Activate(call.Body, "host"),
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
}
