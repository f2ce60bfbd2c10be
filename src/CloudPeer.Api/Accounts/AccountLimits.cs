using Tlfs.Core;

namespace CloudPeer.Api.Accounts;

/// <summary>The bounds of accounts (docs/operations/limits.md says which test shows each).</summary>
internal static class AccountLimits
{
    /// <summary>Letters of an app's id.</summary>
    public const int AppIdLetters = 64;

    /// <summary>Apps that an account may set a budget for.</summary>
    public const int AppBudgets = 64;

    /// <summary>Documents that one answer about an account's use lists, the largest first.</summary>
    public const int UsageDocuments = 10_000;

    /// <summary>How long a tenant is remembered: the latest that a node sees what an operator, a plan or the account changed.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    /// <summary>Checks an app's id; empty stands for none.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>.</exception>
    public static string CheckAppId(string appId) =>
        appId.Length <= AppIdLetters && appId.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')
            ? appId
            : throw new TlfsException(Reason.BadArgument, $"an app id has at most {AppIdLetters} letters, digits, and the signs _ - .");
}
