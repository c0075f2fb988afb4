using Ccp.Licensing;

namespace Ccp.Tests.Shared;

/// <summary>Licenses signed with a key that only tests trust.</summary>
internal static class IssuedLicense
{
    /// <summary>Whom they are for: a name that must never show in a log.</summary>
    public const string Subject = "subject-that-must-stay-inside@example.org";

    public static readonly SigningKey Key = SigningKey.New("test");

    public static IReadOnlyDictionary<string, byte[]> Keys { get; } = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [Key.Id] = Key.PublicKey };

    public static string Pack(DateTimeOffset from, double days = 30, string plan = "pro", string feature = "zai_offload", string? device = null, DateTimeOffset? notBefore = null) =>
        Signed(from, days, plan, feature, device, notBefore).Pack;

    public static SignedLicense Signed(DateTimeOffset from, double days = 30, string plan = "pro", string feature = "zai_offload", string? device = null, DateTimeOffset? notBefore = null) =>
        SignedLicense.Sign(new LicenseClaims(Subject, plan, [feature], from, from.AddDays(days), Key.Id, device, notBefore), Guid.NewGuid().ToString(), Key);

    /// <summary>The same pack, its plan changed by somebody.</summary>
    public static string Tampered(string pack) => pack.Replace("\"plan\":\"", "\"plan\":\"x", StringComparison.Ordinal);
}
