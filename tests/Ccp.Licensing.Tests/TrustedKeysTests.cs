namespace Ccp.Licensing.Tests;

public sealed class TrustedKeysTests
{
    private static readonly string Key = Convert.ToBase64String(Enumerable.Range(0, 32).Select(value => (byte)value).ToArray());

    [Fact]
    public void A_build_that_was_given_no_keys_trusts_nobody()
    {
        Assert.Empty(TrustedKeys.CompiledIn);
    }

    [Fact]
    public void Several_keys_are_trusted_while_one_replaces_another()
    {
        Assert.Equal(["2026a", "2026b"], TrustedKeys.Parse($"2026a={Key}, 2026b={Key}").Keys.Order());
        Assert.Equal(31, TrustedKeys.Parse($"2026a={Key}")["2026a"][31]);
    }

    [Theory]
    [InlineData("2026a")]
    [InlineData("=AAAA")]
    [InlineData("2026a=AAAA")]
    [InlineData("2026a=not base64")]
    public void Anything_else_ends_the_program_instead_of_trusting_a_guess(string keys)
    {
        Assert.Throws<FormatException>(() => TrustedKeys.Parse(keys));
    }

    [Fact]
    public void A_key_id_that_stands_twice_is_refused()
    {
        Assert.Throws<FormatException>(() => TrustedKeys.Parse($"2026a={Key},2026a={Key}"));
    }
}
