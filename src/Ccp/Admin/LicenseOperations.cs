using System.Text;
using Ccp.Licenses;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Admin;

/// <summary>What can be asked of the license, whether a server runs or not. Errors: <see cref="AdminRefusedException"/>.</summary>
internal sealed class LicenseOperations(CurrentLicense license, ILogger log)
{
    public LicenseView Show()
    {
        var standing = license.Look();
        return new LicenseView(
            standing.Claims?.Plan ?? "community",
            standing.Claims?.Features ?? [],
            standing.Claims?.ExpiresAt,
            standing.Claims?.KeyId,
            standing.Reason,
            standing.Warning,
            license.SourceName,
            license.Device);
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
        Change(() => license.Activate(Encoding.UTF8.GetBytes(pack)) is { } reason ? $"The license was not taken up, and what stood before stands: {reason}." : null);
        log.LicenseChanged("activated", actor);
        return Show();
    }

    public LicenseView Deactivate(string actor)
    {
        Change(() => license.Deactivate() is { } reason ? $"The license stays: {reason}." : null);
        log.LicenseChanged("deactivated", actor);
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
