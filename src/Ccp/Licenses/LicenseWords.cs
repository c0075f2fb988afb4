using System.Globalization;
using Ccp.Licensing;

namespace Ccp.Licenses;

/// <summary>What operators read about a license. Nothing of a pack that did not verify stands in it.</summary>
internal static class LicenseWords
{
    /// <summary>Said when nobody tried to have one.</summary>
    public const string None = "there is no license";

    public static string Of(LicenseProblem problem) => problem switch
    {
        LicenseProblem.Missing => None,
        LicenseProblem.Malformed => "the pack is not a license with its signature; ask its issuer for it again",
        LicenseProblem.DuplicateMember => "the license names something twice; ask its issuer for another",
        LicenseProblem.KeyUnknown => "the license is signed with a key that this build of ccp does not trust; a newer version may",
        LicenseProblem.SignatureInvalid => "the signature is not over this license: it was changed, or damaged on the way; ask its issuer for it again",
        LicenseProblem.SchemaUnknown => "the license is of a kind that this version of ccp does not know; a newer version may",
        LicenseProblem.NotYetValid => "the license is not valid yet; if it should be, look at this host's clock",
        LicenseProblem.Expired => "the license has expired; activate a new one",
        LicenseProblem.WrongDevice => "the license is for another host; ask its issuer for one for this host's device, which ccp license status shows",
        _ => throw new ArgumentOutOfRangeException(nameof(problem)),
    };

    public static string Expiry(TimeSpan left, DateTimeOffset at)
    {
        var days = (int)Math.Ceiling(left.TotalDays);
        return $"The license expires in {days} {(days == 1 ? "day" : "days")}, on {Moment(at)}. Activate a new one before; after that ccp goes on as the Community edition.";
    }

    public static string Moment(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
