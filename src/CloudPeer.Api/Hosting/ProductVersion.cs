using System.Reflection;

namespace CloudPeer.Api.Hosting;

/// <summary>Versions of the software and of the protocol.</summary>
internal static class ProductVersion
{
    /// <summary>The one protocol version that this server speaks.</summary>
    public const uint Protocol = 1;

    /// <summary>The software's version without build metadata.</summary>
    public static string Text { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
