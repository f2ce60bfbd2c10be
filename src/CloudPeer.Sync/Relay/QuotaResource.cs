using System.Diagnostics.CodeAnalysis;

namespace CloudPeer.Sync.Relay;

/// <summary>What of a tenant's plan can be used up (sync.md §6.2).</summary>
public enum QuotaResource
{
    /// <summary>Bytes of all envelopes of its documents.</summary>
    Storage,
    /// <summary>Its documents.</summary>
    Documents,
    /// <summary>Envelopes stored in its documents since midnight UTC.</summary>
    EnvelopesPerDay,
    /// <summary>Its devices that have a stream open.</summary>
    Devices,
    /// <summary>Messages that wait in its inbox.</summary>
    Inbox,
    /// <summary>Bytes of the envelopes of one author who is none of the tenant's own devices.</summary>
    AuthorStorage,
    /// <summary>Bytes of the documents of one app.</summary>
    AppStorage,
}

/// <summary>The text form of a <see cref="QuotaResource"/>, as it travels and as it is shown.</summary>
public static class QuotaResourceText
{
    private static readonly Dictionary<QuotaResource, string> Texts = new()
    {
        [QuotaResource.Storage] = "storage",
        [QuotaResource.Documents] = "documents",
        [QuotaResource.EnvelopesPerDay] = "envelopes-per-day",
        [QuotaResource.Devices] = "devices",
        [QuotaResource.Inbox] = "inbox",
        [QuotaResource.AuthorStorage] = "author-storage",
        [QuotaResource.AppStorage] = "app-storage",
    };

    private static readonly Dictionary<string, QuotaResource> Resources = Texts.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    /// <summary>For example <c>envelopes-per-day</c>.</summary>
    public static string ToText(this QuotaResource resource) => Texts[resource];

    /// <summary>Reads <see cref="ToText"/> back; false for text that names no resource.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out QuotaResource resource)
    {
        resource = default;
        return text is not null && Resources.TryGetValue(text, out resource);
    }
}
