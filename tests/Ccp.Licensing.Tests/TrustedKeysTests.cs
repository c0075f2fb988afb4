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
    public void A_release_build_takes_no_key_from_the_environment_and_says_so()
    {
        Assert.False(TrustedKeys.IsDevBuild, "Tests run on the release profile.");

        Assert.Empty(TrustedKeys.With($"2026a={Key}", isDevBuild: false, out var problem));
        Assert.Contains("CCP_LICENSE_PUBKEY_B64 is ignored: this is a release build", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dev_build_takes_keys_from_the_environment()
    {
        Assert.Equal(["2026a", "2026b"], TrustedKeys.With($"2026a={Key},2026b={Key}", isDevBuild: true, out var problem).Keys.Order());
        Assert.Null(problem);
    }

    [Fact]
    public void A_dev_build_ignores_keys_that_are_none_and_says_so()
    {
        Assert.Empty(TrustedKeys.With("2026a=AAAA", isDevBuild: true, out var problem));
        Assert.Contains("must be kid=BASE64", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    public void An_unset_variable_is_nothing_to_speak_of(string? variable)
    {
        Assert.Empty(TrustedKeys.With(variable, isDevBuild: false, out var problem));
        Assert.Null(problem);
    }

    [Fact]
    public void A_key_id_that_stands_twice_is_refused()
    {
        Assert.Throws<FormatException>(() => TrustedKeys.Parse($"2026a={Key},2026a={Key}"));
    }
}
