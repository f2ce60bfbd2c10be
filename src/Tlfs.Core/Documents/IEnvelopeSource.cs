using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>Where a document finds envelopes again that it does not keep in memory.</summary>
public interface IEnvelopeSource
{
    /// <summary>The envelope in that row of the store. One that is missing or damaged is a <see cref="TlfsException"/>.</summary>
    Envelope Read(long row);
}
