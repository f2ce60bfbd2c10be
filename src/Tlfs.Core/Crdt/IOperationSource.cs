using Tlfs.Core.Ids;

namespace Tlfs.Core.Crdt;

/// <summary>Where a state finds the operations of an applied part again, which it needs when something is taken back.</summary>
internal interface IOperationSource
{
    /// <summary>The operations that were applied for the part, in their order, with null in the place of those that are not known here.</summary>
    IReadOnlyList<Operation?> Operations(EnvelopeId envelope, ushort part);
}
