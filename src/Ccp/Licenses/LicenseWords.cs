using System.Globalization;
using Ccp.Licensing;

namespace Ccp.Licenses;

/// <summary>What operators read about a license. Nothing of a pack that did not verify stands in it.</summary>
internal static class LicenseWords
{
    /// <summary>Said when nobody tried to have one.</summary>
    public const string None = "there is no license";

    /// <param name="dates">Of a license that is well signed and does not count now.</param>
    public static string Of(LicenseProblem problem, LicenseDates? dates = null) => problem switch
    {
        LicenseProblem.Missing => None,
        LicenseProblem.Malformed => "the pack is not a license with its signature; ask its issuer for it again",
        LicenseProblem.DuplicateMember => "the license names something twice; ask its issuer for another",
        LicenseProblem.KeyUnknown => "the license is signed with a key that this build of ccp does not trust: take one from the issuer that the build is for, or have ccp built with this issuer's key in CcpLicenseKeys (docs/license.md)",
        LicenseProblem.SignatureInvalid => "the signature is not over this license: it was changed, or damaged on the way; ask its issuer for it again",
        LicenseProblem.SchemaUnknown => "the license is of a kind that this version of ccp does not know; a newer version may",
        LicenseProblem.NotYetValid => $"the license is not valid yet{(dates is { } yet ? $" (from {Moment(yet.From)})" : "")}; if it should be, look at this host's clock",
        LicenseProblem.Expired => $"the license has expired{(dates is { } past ? $" (on {Moment(past.Until)})" : "")}; activate a new one",
        LicenseProblem.WrongDevice => "the license is for another host; ask its issuer for one for this host's device, which ccp license status shows",
        _ => throw new ArgumentOutOfRangeException(nameof(problem)),
    };

    /// <summary>Why a license can be neither activated nor deactivated.</summary>
    public static string DecidedBy(string variable) => $"{variable} in ccp's environment says which license there is; unset it, restart ccp, and try again";

    public static string Expiry(TimeSpan left, DateTimeOffset at)
    {
        // In steps that are far apart: each is a line in the log.
        var when = left > TimeSpan.FromDays(1) ? $"in {(int)Math.Ceiling(left.TotalDays)} days"
            : left > TimeSpan.FromHours(1) ? "within a day"
            : left > TimeSpan.FromMinutes(1) ? "within an hour"
            : "within a minute";
        return $"The license expires {when}, on {Moment(at)}. Activate a new one before; after that ccp goes on as the Community edition.";
    }

    /// <summary>The features of a license that no lane requires: misspelt, or for a lane that is not configured here.</summary>
    public static IReadOnlyList<string> Unasked(IReadOnlyList<string> features, IEnumerable<string?> required) =>
        [.. features.Except(required.OfType<string>(), StringComparer.Ordinal)];

    public static string Moment(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
