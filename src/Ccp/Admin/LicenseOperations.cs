using System.Text;
using Ccp.Configuration;
using Ccp.Licenses;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Admin;

/// <summary>What can be asked of the license, whether a server runs or not. Errors: <see cref="AdminRefusedException"/>.</summary>
/// <param name="config">Its lanes say which features are asked for.</param>
internal sealed class LicenseOperations(CurrentLicense license, Func<CcpConfig> config, ILogger log)
{
    public LicenseView Show()
    {
        var standing = license.Look();
        var unknown = LicenseWords.Unasked(standing.Claims?.Features ?? [], config().Lanes.Select(lane => lane.Requires));
        return new LicenseView(
            standing.Claims?.Plan ?? "community",
            standing.Claims?.Features ?? [],
            standing.Claims?.ExpiresAt,
            standing.Claims?.KeyId,
            standing.Reason,
            standing.Warning,
            license.SourceName,
            license.Device,
            standing.Claims?.Device is not null,
            unknown.Count == 0 ? null : unknown);
    }

    /// <summary>In a few words, for <c>/readyz</c>.</summary>
    public string Summary() => license.Look() switch
    {
        { Claims: { } claims } standing => standing.Warning is null ? $"{claims.Plan} until {LicenseWords.Moment(claims.ExpiresAt)}" : $"{claims.Plan}. {standing.Warning}",
        var standing => $"community: {standing.Reason}",
    };

    public LicenseView Activate(ReadOnlyMemory<byte> json, string actor)
    {
        var pack = new AdminBody(json, "pack").Text("pack") ?? throw AdminRefusedException.Malformed("State the pack, as text: {\"pack\":\"{\\\"license\\\":…}\"}.");
        var before = license.Look().Claims;
        Change(() => license.Activate(Encoding.UTF8.GetBytes(pack)) is { } reason ? $"The license was not taken up, and what stood before stands: {reason}." : null);
        log.LicenseChanged("activated", actor);
        return license.Look().Claims == before || before is null ? Show() : Show() with { Replaced = new ReplacedLicenseView(before.Plan, before.Features, before.ExpiresAt) };
    }

    public LicenseView Deactivate(string actor)
    {
        var isNone = license.Look() is { Claims: null, Reason: LicenseWords.None };
        Change(() => license.Deactivate() is { } reason ? $"The license stays: {reason}." : null);
        if (!isNone)
        {
            log.LicenseChanged("deactivated", actor);
        }

        return Show();
    }

    private static void Change(Func<string?> change)
    {
        try
        {
            if (change() is { } refusal)
            {
                throw AdminRefusedException.Conflict(refusal);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AdminRefusedException(503, $"The license's file could not be changed, and what stood before stands: {error.Message}");
        }
    }
}
