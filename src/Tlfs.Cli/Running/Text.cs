using System.Globalization;
using CloudPeer.Sync.Relay;
using Tlfs.Client;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Cli.Running;

/// <summary>How things are written in the tool's output.</summary>
internal static class Text
{
    private const int ShortLetters = 16;
    private const double Step = 1024;
    private static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>A number.</summary>
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>An amount of storage, for a person.</summary>
    public static string Bytes(ulong bytes)
    {
        var (amount, unit) = ((double)bytes, 0);
        for (; amount >= Step && unit < Units.Length - 1; unit++) amount /= Step;
        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} {Units[unit]}");
    }

    /// <summary>A limit of storage, for a person; 0 is none.</summary>
    public static string Quota(ulong bytes) => bytes == 0 ? "unlimited" : Bytes(bytes);

    /// <summary>Which limit is reached, and what is used of it.</summary>
    public static string Quota(QuotaUse quota) => quota.Resource is QuotaResource.Storage or QuotaResource.AuthorStorage or QuotaResource.AppStorage
        ? $"{quota.Resource.ToText()}: {Bytes(quota.Used)} of {Bytes(quota.Limit)} used"
        : $"{quota.Resource.ToText()}: {quota.Used} of {quota.Limit} used";

    /// <summary>A point in time.</summary>
    public static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>What a server lost by a restore.</summary>
    public static string Restored(RestoredLog restored) =>
        $"Restored from a backup ({Time(restored.Began)}): the server had lost {restored.Lost} envelopes that it had acknowledged; they are sent again.";

    /// <summary>What a server signed and did not keep to, and what to do about it.</summary>
    public static string Evidence(ServerEvidence evidence)
    {
        var strength = evidence.Proves ? "the server's own signatures prove it" : "there is only this device's word for it";
        var advice = string.Equals(evidence.Kind, "restored", StringComparison.Ordinal)
            ? "Nothing to do: what was lost is sent again."
            : "Use another cloudpeer; ask this one's operator whether a backup was restored, and hand on a tlfs export, which holds the evidence.";
        return $"evidence  {evidence.Url}  {Time(evidence.At)}  {evidence.Kind}: {evidence.Message}; {strength}. {advice}";
    }

    /// <summary>The beginning of an id, enough to tell it from its neighbours in a table.</summary>
    public static string Short(string id) => id.Length > ShortLetters ? id[..ShortLetters] : id;

    /// <summary>Whom a grant names.</summary>
    public static string Who(Actor actor) => actor switch
    {
        PeerActor peer => peer.Id.ToString(),
        AccountActor account => account.Account.ToString(),
        _ => "anyone",
    };

    /// <summary>What an envelope carries.</summary>
    public static string Kind(EnvelopeType type) => type switch
    {
        EnvelopeType.Delta => "delta",
        EnvelopeType.Policy => "policy",
        EnvelopeType.Snapshot => "snapshot",
        EnvelopeType.Attest => "attest",
    };

    /// <summary>What became of an envelope.</summary>
    public static string Status(EnvelopeStatus status) => status switch
    {
        EnvelopeStatus.Applied => "applied",
        EnvelopeStatus.Pending => "pending",
        EnvelopeStatus.KeyMissing => "key-missing",
        EnvelopeStatus.Void => "void",
        EnvelopeStatus.Invalid => "invalid",
    };
}
