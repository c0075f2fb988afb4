using System.Text;

namespace Ccp.Licensing.Tests;

public sealed class SigningTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);

    private static readonly SigningKey Key = SigningKey.New("k1");

    private static readonly Dictionary<string, byte[]> Trusted = new() { ["k1"] = Key.PublicKey };

    [Fact]
    public void What_was_signed_is_what_is_read()
    {
        var device = LicenseDevice.IdOf("host", "linux", "amd64");
        var claims = new LicenseClaims("ann \"é\" <a@example.org>", "pro", ["zai_offload", "x"], Now, Now.AddDays(30), "k1", device, Now);
        var pack = SignedLicense.Sign(claims, "nonce", Key).Pack;
        var read = LicensePack.Verify(Encoding.UTF8.GetBytes(pack), Trusted, Now, device).Claims!;

        Assert.Equal(claims with { Features = [] }, read with { Features = [] });
        Assert.Equal(claims.Features, read.Features);
        Assert.DoesNotContain('\n', pack);
        Assert.Equal(LicenseProblem.WrongDevice, LicensePack.Verify(Encoding.UTF8.GetBytes(pack), Trusted, Now).Problem);
    }

    [Fact]
    public void A_license_and_its_signature_verify_as_two_files()
    {
        var signed = SignedLicense.Sign(new LicenseClaims("s", "trial", [], Now, Now.AddDays(1), "k1", null), "n", Key);

        Assert.True(LicensePack.Verify(LicensePack.Join(Encoding.UTF8.GetBytes(signed.License), signed.Signature), Trusted, Now).IsValid);
    }

    [Fact]
    public void A_license_names_the_key_that_signs_it()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SignedLicense.Sign(new LicenseClaims("s", "trial", [], Now, Now.AddDays(1), "k2", null), "n", Key));
    }

    [Fact]
    public void A_private_key_survives_its_file_and_shows_itself_nowhere_else()
    {
        var again = SigningKey.Parse(Key.PrivateText() + "\n")!;

        Assert.Equal(("k1", Key.PublicText), (again.Id, again.PublicText));
        Assert.Equal(Key.Sign("x"u8), again.Sign("x"u8));
        Assert.Equal("k1", Key.ToString());
        Assert.Equal(Key.PublicKey, TrustedKeys.Parse(Key.PublicText)["k1"]);
    }

    [Fact]
    public void Two_keys_without_a_name_get_two_names()
    {
        Assert.NotEqual(SigningKey.New().Id, SigningKey.New().Id);
        Assert.True(SigningKey.IsId(SigningKey.New().Id));
    }

    [Fact]
    public void A_public_key_is_not_taken_for_a_private_one()
    {
        Assert.Null(SigningKey.Parse(Key.PublicText));
        Assert.Null(SigningKey.Parse(""));
        Assert.Null(SigningKey.Parse("ccp-license-private-key k1=AAAA"));
        Assert.Null(SigningKey.Parse("ccp-license-private-key k 1=" + Convert.ToBase64String(new byte[32])));
    }

    [Fact]
    public void A_device_is_known_by_name_system_and_architecture()
    {
        var id = LicenseDevice.IdOf("host", "linux", "amd64");

        // printf 'host|linux|amd64' | openssl dgst -sha256 -binary | base64
        Assert.Equal("q4wJsKo7mqvoAEeBZdKdmhi2TrFBtAnacbYnTvW0XpE=", id);
        Assert.True(LicenseDevice.IsId(id));
        Assert.False(LicenseDevice.IsId("host"));
        Assert.False(LicenseDevice.IsId(id[..^2] + "=="));
    }
}
